# What every template takes; each folder links here.

variable "bake" {
  type        = string
  description = "The script that makes the server the master of an image: npm run image --silent -- script > bake.sh makes it."
}

variable "out" {
  type        = string
  description = "An existing folder for what comes out beside the image: image.json and image.packages."
}

variable "name" {
  type        = string
  default     = "meshboot"
  description = "What the image is called."
}

variable "distribution" {
  type = object({
    name          = string
    qemu_url      = string
    qemu_checksum = string
    qemu_user     = string
    hcloud        = string
    digitalocean  = string
    amazon_owner  = string
    amazon_name   = string
    amazon_user   = string
    linode        = string
  })
  description = "What the image starts from, by the names that each cloud has for it: a file of distributions/."
}
