# How every image is made. The word in capitals is replaced by the name of the folder that is built: Packer 1.6 takes no variable
# there, and HCL has no include.

build {
  sources = ["source.SOURCE.image"]

  # sshd answers long before cloud-init has finished, and its exit code 2 means warnings only.
  provisioner "shell" {
    inline = ["! command -v cloud-init >/dev/null || cloud-init status --wait >/dev/null || [ $? = 2 ] || { cloud-init status --long; exit 1; }"]
  }

  # The key that Packer itself has put there must not stay.
  provisioner "shell" {
    script           = var.bake
    environment_vars = ["MESHBOOT_BUILD_KEY=${build.SSHPublicKey}"]
    execute_command  = "[ $(id -u) = 0 ] || sudo=sudo; $sudo env {{ .Vars }} sh '{{ .Path }}'"
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
