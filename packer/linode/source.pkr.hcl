# An image at Linode (Akamai). The token comes from LINODE_TOKEN. Packer 1.6 from Debian does not know this source.

variable "region" {
  type    = string
  default = "eu-central"
}

variable "instance_type" {
  type    = string
  default = "g6-nanode-1"
}

source "linode" "image" {
  image         = var.distribution.linode
  region        = var.region
  instance_type = var.instance_type
  image_label   = var.name
  cloud_init    = true
  ssh_username  = "root"
}
