# A snapshot at Hetzner Cloud. The token comes from HCLOUD_TOKEN.

variable "location" {
  type    = string
  default = "nbg1"
}

variable "server_type" {
  type    = string
  default = "cx23"
}

source "hcloud" "image" {
  image         = var.distribution.hcloud
  location      = var.location
  server_type   = var.server_type
  snapshot_name = var.name
  ssh_username  = "root"
}
