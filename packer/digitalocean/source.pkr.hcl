# A snapshot at DigitalOcean. The token comes from DIGITALOCEAN_API_TOKEN or DIGITALOCEAN_TOKEN.

variable "region" {
  type    = string
  default = "fra1"
}

variable "size" {
  type    = string
  default = "s-1vcpu-1gb"
}

source "digitalocean" "image" {
  image         = var.distribution.digitalocean
  region        = var.region
  size          = var.size
  snapshot_name = var.name
  ssh_username  = "root"
}
