distribution = {
  name          = "debian-13"
  qemu_url      = "https://cloud.debian.org/images/cloud/trixie/latest/debian-13-genericcloud-amd64.qcow2"
  qemu_checksum = "file:https://cloud.debian.org/images/cloud/trixie/latest/SHA512SUMS"
  qemu_user     = "debian"
  hcloud        = "debian-13"
  digitalocean  = "debian-13-x64"
  amazon_owner  = "136693071363"
  amazon_name   = "debian-13-amd64-*"
  amazon_user   = "admin"
  linode        = "linode/debian13"
}
