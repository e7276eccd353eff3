terraform {
  required_version = ">= 1.5"
  required_providers {
    http   = { source = "hashicorp/http", version = "~> 3.4" }
    hcloud = { source = "hetznercloud/hcloud", version = "~> 1.50" }
  }
}

variable "meshboot" {
  type        = string
  description = "Your Worker's address, without a slash at its end."
}

variable "token" {
  type        = string
  sensitive   = true
  description = "An admin token with the scope keys."
}

variable "servers" {
  type        = map(object({ type = string, location = string }))
  description = "What each server is, by its name in the mesh."
}

# Asked for at each plan: with its Idempotency-Key the Worker gives the same text each time, so that no server is made anew.
data "http" "user_data" {
  for_each = var.servers

  url    = "${var.meshboot}/v1/user-data"
  method = "POST"
  request_headers = {
    Authorization   = "Bearer ${var.token}"
    Content-Type    = "application/json"
    Accept          = "text/plain"
    Idempotency-Key = "terraform-${each.key}"
  }
  request_body = jsonencode({
    name        = each.key
    provider    = "hetzner"
    form        = "multipart"
    cloudConfig = file("${path.module}/cloud-config.yaml")
    key         = { maxUses = 1, names = each.key, note = "terraform" }
  })

  lifecycle {
    postcondition {
      condition     = self.status_code == 201
      error_message = "The Worker made no user-data for ${each.key}: ${self.response_body}"
    }
  }
}

resource "hcloud_server" "mesh" {
  for_each = var.servers

  name        = each.key
  image       = "debian-13"
  server_type = each.value.type
  location    = each.value.location
  user_data   = data.http.user_data[each.key].response_body
}
