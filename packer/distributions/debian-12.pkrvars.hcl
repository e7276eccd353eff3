distribution = {
  name          = "debian-12"
  qemu_url      = "https://cloud.debian.org/images/cloud/bookworm/latest/debian-12-genericcloud-amd64.qcow2"
  qemu_checksum = "file:https://cloud.debian.org/images/cloud/bookworm/latest/SHA512SUMS"
  qemu_user     = "debian"
  hcloud        = "debian-12"
  digitalocean  = "debian-12-x64"
  amazon_owner  = "136693071363"
  amazon_name   = "debian-12-amd64-*"
  amazon_user   = "admin"
  linode        = "linode/debian12"
}
