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

variable "torrent_engine" {
  description = "native or transmission."
  type        = string
  default     = "native"
}

variable "environment" {
  description = "dev or prod."
  type        = string
  default     = "dev"
}

variable "transmission_layer_arn" {
  description = "Version of the published layer; needed with torrent_engine = transmission in prod."
  type        = string
  default     = null
}

variable "ephemeral_storage_mb" {
  description = "Size of /tmp, larger than the largest object with torrent_engine = transmission."
  type        = number
  default     = 512
}

variable "table_deletion_protection" {
  description = "null: true in prod. false before destroy."
  type        = bool
  default     = null
}

variable "bucket_force_destroy" {
  description = "true before destroy: the bucket goes with everything in it."
  type        = bool
  default     = false
}

module "s3torrent" {
  source = "../../terraform/backend"

  bucket_name               = var.bucket_name
  bucket_force_destroy      = var.bucket_force_destroy
  trackers                  = ["udp://tracker.example.org:1337/announce"]
  exclude                   = ["*.tmp", "private/*"]
  torrent_engine            = var.torrent_engine
  environment               = var.environment
  transmission_layer_arn    = var.transmission_layer_arn
  ephemeral_storage_mb      = var.ephemeral_storage_mb
  table_deletion_protection = var.table_deletion_protection
}

output "s3torrent" {
  description = "Everything the module tells."
  value       = module.s3torrent
}

output "redrive_command" {
  description = "Sends the dead letters again, once their cause is mended."
  value       = module.s3torrent.redrive_command
}
