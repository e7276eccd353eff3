# For packer init. In a file of its own, since Packer 1.6 refuses required_plugins.

packer {
  required_plugins {
    vultr = {
      source  = "github.com/vultr/vultr"
      version = ">= 2.0.0"
    }
  }
}
