# The queue of events, and the dead-letter queue of those that failed for good.

locals {
  visibility_timeout = coalesce(var.visibility_timeout_seconds, 6 * var.timeout_seconds)

  move_command = "aws sqs start-message-move-task --source-arn ${local.dead_letter_arn}"
  # SQS moves nothing back to a function. A letter is deleted once its event is accepted; a step that fails ends it.
  invoke_command = <<-EOT
    (while letter=$(aws sqs receive-message --queue-url ${aws_sqs_queue.dead_letter.url} --visibility-timeout 60 --query 'Messages[0]' --output json) || exit 1; [ "$${letter:-null}" != null ]; do
      event=$(printf '%s' "$letter" | jq -ce '.Body | fromjson | .requestPayload') &&
      printf '%s' "$event" > redriven-event.json &&
      aws lambda invoke --function-name ${var.name} --invocation-type Event --payload fileb://redriven-event.json redriven-answer.json &&
      aws sqs delete-message --queue-url ${aws_sqs_queue.dead_letter.url} --receipt-handle "$(printf '%s' "$letter" | jq -r .ReceiptHandle)" || exit 1
    done)
  EOT
}

resource "aws_sqs_queue" "dead_letter" {
  name                      = "${var.name}-dlq"
  message_retention_seconds = 1209600 # 14 days, the most there is
  sqs_managed_sse_enabled   = var.kms_key_arn == null ? true : null
  kms_master_key_id         = var.kms_key_arn
  redrive_allow_policy      = local.through_queue ? null : jsonencode({ redrivePermission = "denyAll" })
  tags                      = var.tags
}

# Apart from the queue, for the two would name each other.
resource "aws_sqs_queue_redrive_allow_policy" "dead_letter" {
  count     = local.through_queue ? 1 : 0
  queue_url = aws_sqs_queue.dead_letter.id
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.events[0].arn]
  })
}

resource "aws_sqs_queue" "events" {
  count                      = local.through_queue ? 1 : 0
  name                       = var.name
  visibility_timeout_seconds = local.visibility_timeout
  # Longer than all tries together, with room for an operator's weekend.
  message_retention_seconds = max(345600, min(1209600, 2 * var.max_receive_count * local.visibility_timeout))
  sqs_managed_sse_enabled   = var.kms_key_arn == null ? true : null
  kms_master_key_id         = var.kms_key_arn
  tags                      = var.tags

  policy = data.aws_iam_policy_document.queue.json
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letter.arn
    maxReceiveCount     = var.max_receive_count
  })
}

data "aws_iam_policy_document" "queue" {
  statement {
    sid       = "FromTheBucket"
    actions   = ["sqs:SendMessage"]
    resources = [local.queue_arn]
    principals {
      type        = "Service"
      identifiers = ["s3.amazonaws.com"]
    }
    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [local.bucket_arn]
    }
    # A bucket's ARN names no account, and a deleted bucket's name is free for anybody.
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }
}
