output "bucket_name" {
  description = "Bucket whose objects get torrents."
  value       = var.create_bucket ? aws_s3_bucket.this[0].id : data.aws_s3_bucket.existing[0].id
}

output "table_name" {
  description = "DynamoDB table of the status items."
  value       = local.table_name
}

output "function_name" {
  description = "The function."
  value       = aws_lambda_function.this.function_name
}

output "function_arn" {
  description = "ARN of the function."
  value       = aws_lambda_function.this.arn
}

output "role_name" {
  description = "The function's role."
  value       = aws_iam_role.function.name
}

output "layer_arn" {
  description = "Layer version with transmission-create; null with the native engine."
  value       = local.uses_layer ? local.layer_arn : null
}

output "queue_url" {
  description = "Queue of the events; null with event_source = s3."
  value       = one(aws_sqs_queue.events[*].url)
}

output "dead_letter_queue_url" {
  description = "Queue of the events that failed for good."
  value       = aws_sqs_queue.dead_letter.url
}

output "dead_letter_queue_arn" {
  description = "ARN of that queue."
  value       = aws_sqs_queue.dead_letter.arn
}

output "redrive_command" {
  description = "Once the cause is mended: shell commands that send the dead letters again. Needs the AWS CLI, with event_source = s3 jq as well."
  value       = local.through_queue ? local.move_command : local.invoke_command
}

output "log_group_name" {
  description = "The function's log."
  value       = aws_cloudwatch_log_group.function.name
}

output "notification_configuration" {
  description = "Our entry in the bucket's notification configuration (JSON)."
  value       = jsonencode({ (local.kind) = [local.notification] })
}

output "notification_command" {
  description = "With manage_notifications = false: shell commands that merge our notification into what the bucket has. Needs the AWS CLI and jq; after apply."
  value       = local.manage_notifications ? null : format(local.merge_format, replace("[${jsonencode(local.notification)}]", "'", "'\\''"))
}

output "notification_removal_command" {
  description = "With manage_notifications = false: shell commands that take ours out again and leave the others. Before destroy: S3 refuses every change while one target is missing."
  value       = local.manage_notifications ? null : format(local.merge_format, "[]")
}

output "state_machine_arn" {
  description = "State machine that the largest objects are handed over to; null without fanout_enabled."
  value       = one(aws_sfn_state_machine.fanout[*].arn)
}
