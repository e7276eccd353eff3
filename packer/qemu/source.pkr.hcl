# A disk image on this machine, from the distribution's own cloud image.

variable "seed" {
  type        = string
  description = "A folder with meta-data and user-data, which let the private key in as the distribution's user."
}

variable "image_url" {
  type        = string
  default     = ""
  description = "A copy of the distribution's image, instead of the one at its own site."
}

variable "image_checksum" {
  type        = string
  default     = ""
  description = "That copy's checksum, such as sha256:0123..., or none."
}

variable "ssh_private_key_file" {
  type = string
}

variable "accelerator" {
  type        = string
  default     = "kvm"
  description = "kvm; hvf on macOS; none for a machine that has neither, some twenty times slower."
}

variable "disk_size" {
  type    = string
  default = "8G"
}

variable "ssh_timeout" {
  type    = string
  default = "10m"
}

variable "qemu_arguments" {
  type        = list(list(string))
  default     = []
  description = "Further arguments for qemu, such as [[\"-cpu\", \"max\"]]."
}

source "qemu" "image" {
  accelerator      = var.accelerator
  disk_image       = true
  iso_url          = var.image_url == "" ? var.distribution.qemu_url : var.image_url
  iso_checksum     = var.image_checksum == "" ? var.distribution.qemu_checksum : var.image_checksum
  disk_size        = var.disk_size
  disk_compression = true
  format           = "qcow2"
  output_directory = "${var.out}/qemu"
  vm_name          = "${var.name}.qcow2"

  memory         = 2048
  cpus           = 2
  headless       = true
  disk_interface = "virtio"
  net_device     = "virtio-net"
  boot_wait      = "1s"
  http_directory = var.seed
  qemuargs       = concat([["-smbios", "type=1,serial=ds=nocloud-net;s=http://{{ .HTTPIP }}:{{ .HTTPPort }}/"]], var.qemu_arguments)

  communicator         = "ssh"
  ssh_username         = var.distribution.qemu_user
  ssh_private_key_file = var.ssh_private_key_file
  ssh_timeout          = var.ssh_timeout
  shutdown_command     = "sudo poweroff"
}
