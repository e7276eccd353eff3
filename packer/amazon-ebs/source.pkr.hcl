# An AMI at AWS. Credentials come from the environment or ~/.aws, as for the AWS command line.

variable "region" {
  type    = string
  default = "eu-central-1"
}

variable "instance_type" {
  type    = string
  default = "t3.micro"
}

source "amazon-ebs" "image" {
  region        = var.region
  instance_type = var.instance_type
  ami_name      = var.name
  ssh_username  = var.distribution.amazon_user

  source_ami_filter {
    filters = {
      name                = var.distribution.amazon_name
      root-device-type    = "ebs"
      virtualization-type = "hvm"
    }
    owners      = [var.distribution.amazon_owner]
    most_recent = true
  }
}
