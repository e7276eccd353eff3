# For packer init. In a file of its own, since Packer 1.6 refuses required_plugins.

packer {
  required_plugins {
    qemu = {
      source  = "github.com/hashicorp/qemu"
      version = ">= 1.0.0"
    }
  }
}
