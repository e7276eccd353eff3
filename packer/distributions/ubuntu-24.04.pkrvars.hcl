distribution = {
  name          = "ubuntu-24.04"
  qemu_url      = "https://cloud-images.ubuntu.com/releases/noble/release/ubuntu-24.04-server-cloudimg-amd64.img"
  qemu_checksum = "file:https://cloud-images.ubuntu.com/releases/noble/release/SHA256SUMS"
  qemu_user     = "ubuntu"
  hcloud        = "ubuntu-24.04"
  digitalocean  = "ubuntu-24-04-x64"
  amazon_owner  = "099720109477"
  amazon_name   = "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-*"
  amazon_user   = "ubuntu"
  linode        = "linode/ubuntu24.04"
}
