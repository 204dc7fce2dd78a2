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

module "s3torrent" {
  source = "../../terraform/backend"

  bucket_name   = var.bucket_name
  create_bucket = false
  event_source  = var.event_source
  include       = ["recordings/*"]
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
