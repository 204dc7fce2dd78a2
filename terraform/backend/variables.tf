# What it is made of: bucket, table, function. How it is run: variables_operation.tf; what the torrents are like:
# variables_torrent.tf.

variable "name" {
  description = "Name of the function, and beginning of every other name."
  type        = string
  default     = "s3torrent"
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,39}$", var.name))
    error_message = "name is '${var.name}'; expected 3 to 40 lower-case letters, digits and hyphens, a letter first."
  }
}

variable "environment" {
  description = "dev: the transmission layer is the local build, or a placeholder where there is none. prod: it is transmission_layer_arn, and the table is protected from deletion."
  type        = string
  default     = "dev"
  validation {
    condition     = contains(["dev", "prod"], var.environment)
    error_message = "environment is '${var.environment}'; expected dev or prod."
  }
}

variable "tags" {
  description = "Tags of everything that can carry tags."
  type        = map(string)
  default     = {}
}

# --- bucket

variable "bucket_name" {
  description = "Bucket whose objects get torrents."
  type        = string
  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.bucket_name))
    error_message = "bucket_name is '${var.bucket_name}'; expected 3 to 63 lower-case letters, digits, dots and hyphens (the name, not the ARN)."
  }
}

variable "create_bucket" {
  description = "false: the bucket exists and nothing of it is changed but, with manage_notifications, its notifications."
  type        = bool
  default     = true
}

variable "bucket_versioning" {
  description = "Versioning of a bucket made here."
  type        = bool
  default     = true
}

variable "bucket_force_destroy" {
  description = "Let destroy delete a bucket made here with everything in it."
  type        = bool
  default     = false
}

variable "block_public_access" {
  description = "Keep a bucket made here from being public. false where bucket_policy_documents are to let anybody read, so that S3 itself is the web seed."
  type        = bool
  default     = true
}

variable "bucket_policy_documents" {
  description = "Policies (JSON) to merge into that of a bucket made here, such as leave for a CloudFront distribution to read. Its own denies what does not come over TLS."
  type        = list(string)
  default     = []
  validation {
    condition     = alltrue([for document in var.bucket_policy_documents : can(jsondecode(document).Statement)])
    error_message = "bucket_policy_documents is not a list of policies in JSON; expected each with a Statement."
  }
}

variable "bucket_kms_key_arn" {
  description = "KMS key of the objects of an existing bucket, where it has one of its own; the function may then use it."
  type        = string
  default     = null
  validation {
    condition     = var.bucket_kms_key_arn == null ? true : can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/", var.bucket_kms_key_arn))
    error_message = "bucket_kms_key_arn is '${coalesce(var.bucket_kms_key_arn, "null")}'; expected the ARN of a key (not of an alias), or null."
  }
}

variable "allow_list_bucket" {
  description = "Also allow s3:ListBucket. Nothing is listed; but without it S3 answers 403, not 404, for an object deleted before its turn came, which then is FAILED and not SKIPPED."
  type        = bool
  default     = false
}

variable "manage_notifications" {
  description = "Let Terraform own the bucket's notifications: all of them, whoever made them, since S3 keeps them in one document. null: true for a bucket made here, false for an existing one, for which the output notification_command merges ours into what is there."
  type        = bool
  default     = null
}

variable "event_source" {
  description = "sqs: S3 -> SQS -> function, with partial batch failures and redrive. s3: S3 -> function; two retries, then the dead-letter queue."
  type        = string
  default     = "sqs"
  validation {
    condition     = contains(["sqs", "s3"], var.event_source)
    error_message = "event_source is '${var.event_source}'; expected sqs or s3."
  }
}

variable "notification_prefix" {
  description = "S3 notifies of keys with this beginning only; empty: of all. For buckets with other notifications of created objects: S3 refuses two that could both hear of one key. Literal text, special characters percent-encoded; include and exclude filter further, by patterns."
  type        = string
  default     = ""
  validation {
    condition     = length(var.notification_prefix) <= 1024 && can(regex("^[!-)+-~]*$", var.notification_prefix))
    error_message = "notification_prefix is '${var.notification_prefix}'; expected the beginning of keys, such as recordings/, without *, in plain ASCII (a space is %20)."
  }
}

variable "notification_suffix" {
  description = "S3 notifies of keys with this end only, such as .mkv; empty: of all. As notification_prefix."
  type        = string
  default     = ""
  validation {
    condition     = length(var.notification_suffix) <= 1024 && can(regex("^[!-)+-~]*$", var.notification_suffix))
    error_message = "notification_suffix is '${var.notification_suffix}'; expected the end of keys, such as .mkv, without *, in plain ASCII (a space is %20)."
  }
}

# --- status table

variable "table_name" {
  description = "DynamoDB table of the status items; null: the same as name."
  type        = string
  default     = null
  validation {
    condition     = var.table_name == null ? true : can(regex("^[a-zA-Z0-9_.-]{3,255}$", var.table_name))
    error_message = "table_name is '${coalesce(var.table_name, "null")}'; expected 3 to 255 letters, digits, '_', '.' and '-' (the name, not the ARN)."
  }
}

variable "create_table" {
  description = "false: the table exists (with partition key jobId (S) and the index status-updatedAt), or allow_create_table is true."
  type        = bool
  default     = true
}

variable "allow_create_table" {
  description = "With create_table = false: let the function make the table where it is missing."
  type        = bool
  default     = false
  validation {
    condition     = !(var.allow_create_table && var.create_table)
    error_message = "allow_create_table is true and create_table too; expected at most one maker of the table."
  }
}

variable "point_in_time_recovery" {
  description = "Point-in-time recovery of a table made here."
  type        = bool
  default     = true
}

variable "table_deletion_protection" {
  description = "Deletion protection of a table made here; null: true in prod, false in dev."
  type        = bool
  default     = null
}

# --- function

variable "lambda_zip" {
  description = "The function's zip; null: dist/s3torrent-lambda.zip of this checkout, as `make package` writes it."
  type        = string
  default     = null
}

variable "runtime" {
  description = "Python runtime of the function."
  type        = string
  default     = "python3.13"
  validation {
    condition     = can(regex("^python3\\.(1[1-9]|[2-9][0-9])$", var.runtime))
    error_message = "runtime is '${var.runtime}'; expected python3.11 or newer."
  }
}

variable "architecture" {
  description = "x86_64 or arm64; that of the transmission layer, too."
  type        = string
  default     = "x86_64"
  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "architecture is '${var.architecture}'; expected x86_64 or arm64."
  }
}

variable "memory_mb" {
  description = "Memory of the function in MB; from 1,769 on it has a whole CPU, with 3,538 two."
  type        = number
  default     = 1769
  validation {
    condition     = var.memory_mb >= 128 && var.memory_mb <= 10240 && floor(var.memory_mb) == var.memory_mb
    error_message = "memory_mb is ${var.memory_mb}; expected a whole number from 128 to 10240."
  }
}

variable "timeout_seconds" {
  description = "Time limit of one run. The function begins no object with less than 10 s left."
  type        = number
  default     = 900
  validation {
    condition     = var.timeout_seconds >= 15 && var.timeout_seconds <= 900 && floor(var.timeout_seconds) == var.timeout_seconds
    error_message = "timeout_seconds is ${var.timeout_seconds}; expected a whole number from 15 to 900."
  }
}

variable "ephemeral_storage_mb" {
  description = "Size of /tmp in MB. The native engine writes nothing there; the transmission engine the whole object."
  type        = number
  default     = 512
  validation {
    condition     = var.ephemeral_storage_mb >= 512 && var.ephemeral_storage_mb <= 10240 && floor(var.ephemeral_storage_mb) == var.ephemeral_storage_mb
    error_message = "ephemeral_storage_mb is ${var.ephemeral_storage_mb}; expected a whole number from 512 to 10240."
  }
}

variable "reserved_concurrency" {
  description = "Concurrency reserved for the function, which is also its limit; null: the account's common pool."
  type        = number
  default     = null
  validation {
    condition     = var.reserved_concurrency == null ? true : var.reserved_concurrency >= 1
    error_message = "reserved_concurrency is ${coalesce(var.reserved_concurrency, -1)}; expected at least 1, or null for the common pool."
  }
}

variable "permissions_boundary_arn" {
  description = "Permissions boundary of the function's role."
  type        = string
  default     = null
  validation {
    condition     = var.permissions_boundary_arn == null ? true : can(regex("^arn:[a-z-]+:iam:", var.permissions_boundary_arn))
    error_message = "permissions_boundary_arn is '${coalesce(var.permissions_boundary_arn, "null")}'; expected the ARN of a policy, or null."
  }
}

variable "tracing" {
  description = "X-Ray traces of the function's runs. Their permissions know no resource, so this one statement names all."
  type        = bool
  default     = false
}

variable "endpoint_url" {
  description = "Endpoint the function calls in place of AWS: a local stack's, as seen from the function. With plain http:// the TLS-only policies are left off, for they would lock it out."
  type        = string
  default     = null
  validation {
    condition     = var.endpoint_url == null ? true : can(regex("^https?://${local.authority_pattern}/?$", var.endpoint_url))
    error_message = "endpoint_url is '${coalesce(var.endpoint_url, "null")}'; expected one such as http://172.17.0.2:4566, or null for AWS."
  }
}
