# A bucket and its notifications that belong to somebody else: nothing of theirs is changed. After apply, merge our
# notification into the bucket's: eval "$(terraform output -raw notification_command)"
# and before destroy take it out:  eval "$(terraform output -raw notification_removal_command)"

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
  description = "AWS region of the bucket."
  type        = string
  default     = "eu-central-1"
}

variable "bucket_name" {
  description = "Name of the bucket."
  type        = string
}

variable "event_source" {
  description = "sqs or s3."
  type        = string
  default     = "sqs"
}

variable "include" {
  description = "Which keys get torrents, such as [\"recordings/*\"]; empty: all."
  type        = list(string)
  default     = []
}

variable "notification_prefix" {
  description = "Of which keys S3 notifies at all, such as recordings/; empty: all. For a bucket with other notifications."
  type        = string
  default     = ""
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

module "s3torrent" {
  source = "../../terraform/backend"

  bucket_name               = var.bucket_name
  create_bucket             = false
  event_source              = var.event_source
  include                   = var.include
  notification_prefix       = var.notification_prefix
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

output "notification_command" {
  description = "Run after apply."
  value       = module.s3torrent.notification_command
}

output "notification_removal_command" {
  description = "Run before destroy."
  value       = module.s3torrent.notification_removal_command
}

output "redrive_command" {
  description = "Sends the dead letters again, once their cause is mended."
  value       = module.s3torrent.redrive_command
}
