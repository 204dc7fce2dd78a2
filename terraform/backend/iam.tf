# What the function may do: nothing that it does not do.

locals {
  kms_keys = distinct(compact([var.kms_key_arn, var.bucket_kms_key_arn]))
}

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "function" {
  # checkov:skip=CKV_AWS_111: only the X-Ray statement, off by default, has no resource; X-Ray knows none
  # checkov:skip=CKV_AWS_356: as above
  statement {
    sid = "ReadObjects"
    actions = [
      "s3:GetObject",
      "s3:GetObjectVersion",
      "s3:GetObjectAttributes",
      "s3:GetObjectVersionAttributes",
    ]
    resources = ["${local.bucket_arn}/*"]
  }

  statement {
    sid       = "WriteTorrents"
    actions   = ["s3:PutObject"]
    resources = ["${local.bucket_arn}/*.torrent", "${local.bucket_arn}/${var.control_prefix}*"]
  }

  # Its checkpoints; torrents only where deletions are to take them along.
  statement {
    sid     = "RemoveOwn"
    actions = ["s3:DeleteObject"]
    resources = concat(
      ["${local.bucket_arn}/${var.control_prefix}*"],
      var.on_delete == "remove" ? ["${local.bucket_arn}/*.torrent"] : [],
    )
  }

  dynamic "statement" {
    for_each = var.allow_list_bucket || var.on_delete == "remove" || length(var.prefix_rules) > 0 ? [1] : []
    content {
      sid       = "TellAbsentFromForbidden"
      actions   = ["s3:ListBucket"]
      resources = [local.bucket_arn]
    }
  }

  # It reads and writes its own files there, and nothing else; listing tells what is absent from what is forbidden.
  dynamic "statement" {
    for_each = var.catalog == "" ? [] : [1]
    content {
      sid       = "KeepCatalogue"
      actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
      resources = ["arn:${data.aws_partition.current.partition}:s3:::${local.catalog_path}/*"]
    }
  }

  dynamic "statement" {
    for_each = var.catalog == "" ? [] : [1]
    content {
      sid       = "SeeCatalogue"
      actions   = ["s3:ListBucket"]
      resources = ["arn:${data.aws_partition.current.partition}:s3:::${local.catalog_bucket}"]
    }
  }

  # By its index; by the whole where very much has changed.
  dynamic "statement" {
    for_each = var.catalog == "" ? [] : [1]
    content {
      sid       = "ListStatus"
      actions   = ["dynamodb:Query", "dynamodb:Scan"]
      resources = [local.table_arn, "${local.table_arn}/index/*"]
    }
  }

  # DescribeTable is for the error that says what is wrong with a table.
  statement {
    sid       = "WriteStatus"
    actions   = ["dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:UpdateItem"]
    resources = [local.table_arn]
  }

  dynamic "statement" {
    for_each = var.allow_create_table ? [1] : []
    content {
      sid       = "MakeTable"
      actions   = ["dynamodb:CreateTable", "dynamodb:UpdateTimeToLive"]
      resources = [local.table_arn]
    }
  }

  # What Lambda itself does with the queue, in the role's name; ChangeMessageVisibility and SendMessage (an object that
  # takes more than one invocation) are the function's.
  dynamic "statement" {
    for_each = local.through_queue ? [1] : []
    content {
      sid       = "TakeEvents"
      actions   = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:SendMessage"]
      resources = [local.queue_arn]
    }
  }

  dynamic "statement" {
    for_each = local.through_queue ? [] : [1]
    content {
      sid       = "GiveUpEvents"
      actions   = ["sqs:SendMessage"]
      resources = [local.dead_letter_arn]
    }
  }

  statement {
    sid       = "Log"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${local.log_group_arn}:log-stream:*"]
  }

  dynamic "statement" {
    for_each = length(local.kms_keys) > 0 ? [1] : []
    content {
      sid       = "UseKeys"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = local.kms_keys
      # Never by itself: only what these services ask of KMS in the role's name.
      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = [for service in ["dynamodb", "lambda", "s3", "sqs"] : "${service}.${local.region}.${data.aws_partition.current.dns_suffix}"]
      }
    }
  }

  dynamic "statement" {
    for_each = var.fanout_enabled ? [1] : []
    content {
      sid       = "HandOver"
      actions   = ["states:StartExecution"]
      resources = [local.fanout_arn]
    }
  }

  dynamic "statement" {
    for_each = var.tracing ? [1] : []
    content {
      sid       = "Trace"
      actions   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
      resources = ["*"]
    }
  }
}

resource "aws_iam_role" "function" {
  name                 = var.name
  description          = "Of the function ${var.name}: reads ${var.bucket_name}, writes its torrents and their status"
  assume_role_policy   = data.aws_iam_policy_document.assume.json
  permissions_boundary = var.permissions_boundary_arn
  tags                 = var.tags
}

resource "aws_iam_role_policy" "function" {
  name   = var.name
  role   = aws_iam_role.function.id
  policy = data.aws_iam_policy_document.function.json
}
