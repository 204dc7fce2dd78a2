# The status table, made here or there already. Its schema is that of src/s3torrent/status/dynamodb_table.py.

locals {
  partition_key = "jobId"
  table_is_made = var.create_table || var.allow_create_table
}

data "aws_dynamodb_table" "existing" {
  count = local.table_is_made ? 0 : 1
  name  = local.table_name

  lifecycle {
    postcondition {
      condition     = anytrue([for one in self.attribute : one.type == "S" if one.name == self.hash_key])
      error_message = "DynamoDB table ${local.table_name} has partition key ${self.hash_key} of type ${join("", [for one in self.attribute : one.type if one.name == self.hash_key])}; expected type S. Name another table, or let one be made (create_table = true)."
    }
    postcondition {
      condition     = self.hash_key == local.partition_key && coalesce(self.range_key, "none") == "none"
      error_message = "DynamoDB table ${local.table_name} has partition key ${self.hash_key}, sort key ${coalesce(self.range_key, "none")}; expected partition key ${local.partition_key} and no sort key. Name another table, or let one be made (create_table = true)."
    }
  }
}

resource "aws_dynamodb_table" "status" {
  count                       = var.create_table ? 1 : 0
  name                        = local.table_name
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = local.partition_key
  deletion_protection_enabled = coalesce(var.table_deletion_protection, var.environment == "prod")
  tags                        = var.tags

  attribute {
    name = local.partition_key
    type = "S"
  }
  attribute {
    name = "statusShard"
    type = "S"
  }
  attribute {
    name = "updatedAt"
    type = "S"
  }

  global_secondary_index {
    name            = "status-updatedAt"
    hash_key        = "statusShard"
    range_key       = "updatedAt"
    projection_type = "ALL"
  }

  ttl {
    attribute_name = "expiresAt"
    enabled        = true
  }

  point_in_time_recovery {
    enabled = var.point_in_time_recovery
  }

  # Without this block the key is DynamoDB's own.
  dynamic "server_side_encryption" {
    for_each = var.kms_key_arn[*]
    content {
      enabled     = true
      kms_key_arn = server_side_encryption.value
    }
  }
}
