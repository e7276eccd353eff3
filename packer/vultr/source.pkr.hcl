# A snapshot at Vultr. The key comes from VULTR_API_KEY. Packer 1.6 does not know this source.

variable "os_id" {
  type        = number
  description = "The number of the distribution, which Vultr alone gives: curl https://api.vultr.com/v2/os."
}

variable "region" {
  type    = string
  default = "fra"
}

variable "plan" {
  type    = string
  default = "vc2-1c-1gb"
}

source "vultr" "image" {
  os_id                = var.os_id
  region_id            = var.region
  plan_id              = var.plan
  snapshot_description = var.name
  ssh_username         = "root"
  state_timeout        = "15m"
}
