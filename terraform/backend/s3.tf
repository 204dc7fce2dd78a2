# The bucket, made here or there already, and its notifications.

locals {
  manage_notifications = coalesce(var.manage_notifications, var.create_bucket)

  target_arn = local.through_queue ? local.queue_arn : aws_lambda_function.this.arn
  kind       = local.through_queue ? "QueueConfigurations" : "LambdaFunctionConfigurations"
  events     = concat(["s3:ObjectCreated:*"], var.watch_deletions ? ["s3:ObjectRemoved:*", "s3:LifecycleExpiration:*", "s3:ObjectRestore:Completed"] : [])
  key_rules  = [for name, value in { prefix = var.notification_prefix, suffix = var.notification_suffix } : { Name = name, Value = value } if value != ""]
  # Id: what a later merge replaces.
  notification = { for name, value in {
    Id                                                       = var.name
    (local.through_queue ? "QueueArn" : "LambdaFunctionArn") = local.target_arn
    Events                                                   = local.events
    Filter                                                   = length(local.key_rules) > 0 ? { Key = { FilterRules = local.key_rules } } : null
  } : name => value if value != null }

  # Reads what is there, changes our entry alone, writes it back; a step that fails ends it. Ours may stand in a list
  # of another kind, from before event_source was changed: S3 refuses every change while one target is missing.
  merge_format = <<-EOT
    aws s3api get-bucket-notification-configuration --bucket ${var.bucket_name} > notifications-before.json &&
    jq -s '(.[0] // {}) | map_values(if type == "array" then map(select(.Id != "${var.name}")) else . end) | .${local.kind} += %s | map_values(select(. != []))' notifications-before.json > notifications-after.json &&
    aws s3api put-bucket-notification-configuration --bucket ${var.bucket_name} --notification-configuration file://notifications-after.json
  EOT
}

data "aws_s3_bucket" "existing" {
  count  = var.create_bucket ? 0 : 1
  bucket = var.bucket_name

  lifecycle {
    postcondition {
      condition     = self.region == local.region
      error_message = "Bucket ${var.bucket_name} lies in ${self.region}, the provider in ${local.region}; expected the same: S3 notifies only within a region."
    }
  }
}

resource "aws_s3_bucket" "this" {
  count         = var.create_bucket ? 1 : 0
  bucket        = var.bucket_name
  force_destroy = var.bucket_force_destroy
  tags          = var.tags
}

resource "aws_s3_bucket_ownership_controls" "this" {
  count  = var.create_bucket ? 1 : 0
  bucket = aws_s3_bucket.this[0].id

  rule {
    object_ownership = "BucketOwnerEnforced" # no ACLs: policies alone say who may
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  count                   = var.create_bucket ? 1 : 0
  bucket                  = aws_s3_bucket.this[0].id
  block_public_acls       = true
  ignore_public_acls      = true
  block_public_policy     = var.block_public_access
  restrict_public_buckets = var.block_public_access
}

resource "aws_s3_bucket_versioning" "this" {
  count  = var.create_bucket ? 1 : 0
  bucket = aws_s3_bucket.this[0].id

  versioning_configuration {
    status = var.bucket_versioning ? "Enabled" : "Suspended"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  count  = var.create_bucket ? 1 : 0
  bucket = aws_s3_bucket.this[0].id

  rule {
    bucket_key_enabled = var.kms_key_arn != null

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  count  = var.create_bucket ? 1 : 0
  bucket = aws_s3_bucket.this[0].id

  rule {
    id     = "abandoned-uploads"
    status = "Enabled"
    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  # What an invocation that ran out of time leaves to the next; a later one that ends removes it itself.
  rule {
    id     = "abandoned-checkpoints"
    status = "Enabled"
    filter {
      prefix = "${var.control_prefix}checkpoints/"
    }

    expiration {
      days = 7
    }
    noncurrent_version_expiration {
      noncurrent_days = 1
    }
  }
}

data "aws_iam_policy_document" "bucket" {
  source_policy_documents = var.bucket_policy_documents

  dynamic "statement" {
    for_each = local.over_plain_http ? [] : [1]
    content {
      sid       = "TlsOnly"
      effect    = "Deny"
      actions   = ["s3:*"]
      resources = [local.bucket_arn, "${local.bucket_arn}/*"]
      principals {
        type        = "*"
        identifiers = ["*"]
      }
      condition {
        test     = "Bool"
        variable = "aws:SecureTransport"
        values   = ["false"]
      }
    }
  }
}

resource "aws_s3_bucket_policy" "this" {
  count      = var.create_bucket && (length(var.bucket_policy_documents) > 0 || !local.over_plain_http) ? 1 : 0
  bucket     = aws_s3_bucket.this[0].id
  policy     = data.aws_iam_policy_document.bucket.json
  depends_on = [aws_s3_bucket_public_access_block.this]
}

# S3 sends a test message when this is made, so what receives it must be allowed first.
resource "aws_s3_bucket_notification" "this" {
  count  = local.manage_notifications ? 1 : 0
  bucket = var.create_bucket ? aws_s3_bucket.this[0].id : data.aws_s3_bucket.existing[0].id

  dynamic "queue" {
    for_each = local.through_queue ? [1] : []
    content {
      id            = var.name
      queue_arn     = local.target_arn
      events        = local.events
      filter_prefix = var.notification_prefix
      filter_suffix = var.notification_suffix
    }
  }

  dynamic "lambda_function" {
    for_each = local.through_queue ? [] : [1]
    content {
      id                  = var.name
      lambda_function_arn = local.target_arn
      events              = local.events
      filter_prefix       = var.notification_prefix
      filter_suffix       = var.notification_suffix
    }
  }

  depends_on = [aws_sqs_queue.events, aws_lambda_permission.bucket]
}
