# For packer init. In a file of its own, since Packer 1.6 refuses required_plugins.

packer {
  required_plugins {
    linode = {
      source  = "github.com/linode/linode"
      version = ">= 1.0.0"
    }
  }
}
