# Any server that runs, over SSH: bake it, shut it down, and take the image by the provider's own means.

variable "ssh_host" {
  type = string
}

variable "ssh_username" {
  type    = string
  default = "root"
}

variable "ssh_port" {
  type    = number
  default = 22
}

# Empty: the key that ssh-agent has.
variable "ssh_private_key_file" {
  type    = string
  default = ""
}

source "null" "image" {
  communicator         = "ssh"
  ssh_host             = var.ssh_host
  ssh_port             = var.ssh_port
  ssh_username         = var.ssh_username
  ssh_private_key_file = var.ssh_private_key_file
  ssh_agent_auth       = var.ssh_private_key_file == ""
  ssh_timeout          = "2m"
}
