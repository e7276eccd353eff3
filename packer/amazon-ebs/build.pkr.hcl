# The same in each folder, but for the source.

build {
  sources = ["source.amazon-ebs.image"]

  # sshd answers long before cloud-init has finished, and its code 2 tells of warnings alone.
  provisioner "shell" {
    inline = ["cloud-init status --wait >/dev/null || [ $? = 2 ]"]
  }

  provisioner "shell" {
    script          = var.bake
    execute_command = "[ $(id -u) = 0 ] || sudo=sudo; $sudo sh '{{ .Path }}'"
  }

  provisioner "file" {
    direction   = "download"
    source      = "/etc/meshboot/image.json"
    destination = "${var.out}/image.json"
  }

  provisioner "file" {
    direction   = "download"
    source      = "/etc/meshboot/image.packages"
    destination = "${var.out}/image.packages"
  }
}
