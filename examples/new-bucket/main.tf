# A bucket of its own: every upload to it gets a torrent.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

provider "aws" {
  region = var.region
}

variable "region" {
  description = "AWS region."
  type        = string
  default     = "eu-central-1"
}

variable "bucket_name" {
  description = "Name of the bucket to make; unique in all of AWS."
  type        = string
}

module "s3torrent" {
  source = "../../terraform/backend"

  bucket_name = var.bucket_name
  trackers    = ["udp://tracker.example.org:1337/announce"]
  exclude     = ["*.tmp", "private/*"]
}

output "s3torrent" {
  description = "Everything the module tells."
  value       = module.s3torrent
}
