# Log, alarms, dashboard.

locals {
  # A message that failed once waits out the visibility timeout; its second failure is trouble.
  oldest_seconds = coalesce(var.oldest_message_alarm_seconds, local.through_queue ? 2 * local.visibility_timeout : 3600)

  of_function    = tomap({ FunctionName = var.name })
  of_queue       = tomap({ QueueName = var.name })
  of_dead_letter = tomap({ QueueName = "${var.name}-dlq" })

  # s in SQS, ms in Lambda.
  oldest = local.through_queue ? {
    namespace = "AWS/SQS", metric = "ApproximateAgeOfOldestMessage", dimensions = local.of_queue, unit = 1
    } : {
    namespace = "AWS/Lambda", metric = "AsyncEventAge", dimensions = local.of_function, unit = 1000
  }

  alarms = {
    dead-letters = {
      description = "Events failed for good. Read their errors in the log and the status table, mend the cause, then redrive the queue."
      namespace   = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", dimensions = local.of_dead_letter
      statistic   = "Maximum", period = 60, above = 0, periods = 1
    }
    errors = {
      description = "The function itself failed or ran out of time."
      namespace   = "AWS/Lambda", metric = "Errors", dimensions = local.of_function
      statistic   = "Sum", period = 300, above = 0, periods = 1
    }
    failing = {
      description = "Torrents fail again and again. The status table (s3torrent status --status FAILED) says why."
      namespace   = "s3torrent", metric = "Failed", dimensions = local.of_function
      statistic   = "Sum", period = 300, above = 0, periods = 3
    }
    throttles = {
      description = "Runs are refused for want of concurrency: raise reserved_concurrency or the account's limit, or lower maximum_concurrency."
      namespace   = "AWS/Lambda", metric = "Throttles", dimensions = local.of_function
      statistic   = "Sum", period = 300, above = 0, periods = 3
    }
    oldest-event = {
      description = "Events wait longer than ${local.oldest_seconds} s for their torrents."
      namespace   = local.oldest.namespace, metric = local.oldest.metric, dimensions = local.oldest.dimensions
      statistic   = "Maximum", period = 300, above = local.oldest.unit * local.oldest_seconds, periods = 1
    }
    near-timeout = {
      description = "A run took more than 80 % of timeout_seconds (${var.timeout_seconds}): larger objects take several runs, with transmission they are never finished. Raise it, or memory_mb."
      namespace   = "AWS/Lambda", metric = "Duration", dimensions = local.of_function
      statistic   = "Maximum", period = 300, above = 800 * var.timeout_seconds, periods = 1
    }
  }

  graphs = concat(
    [
      { title = "Runs", lines = [["AWS/Lambda", "Invocations", "Sum"], ["AWS/Lambda", "Errors", "Sum"], ["AWS/Lambda", "Throttles", "Sum"]] },
      { title = "Duration, ms", lines = [["AWS/Lambda", "Duration", "p50"], ["AWS/Lambda", "Duration", "p95"], ["AWS/Lambda", "Duration", "Maximum"]] },
      { title = "Runs at once", lines = [["AWS/Lambda", "ConcurrentExecutions", "Maximum"]] },
      { title = "Objects", lines = [["s3torrent", "Made", "Sum"], ["s3torrent", "Done", "Sum"], ["s3torrent", "Skipped", "Sum"], ["s3torrent", "Failed", "Sum"]] },
      { title = "Duration of an object, ms", lines = [["s3torrent", "Duration", "p50"], ["s3torrent", "Duration", "p95"], ["s3torrent", "Duration", "Maximum"]] },
      { title = "Bytes hashed, and of them read", lines = [["s3torrent", "BytesHashed", "Sum"], ["s3torrent", "BytesRead", "Sum"]] },
      { title = "Dead letters", lines = [["AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum", local.of_dead_letter.QueueName]] },
    ],
    local.through_queue ? [
      { title = "Events waiting and in work", lines = [["AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum"], ["AWS/SQS", "ApproximateNumberOfMessagesNotVisible", "Maximum"]] },
      { title = "Age of the oldest event, s", lines = [["AWS/SQS", "ApproximateAgeOfOldestMessage", "Maximum"]] },
      ] : [
      { title = "Events dropped", lines = [["AWS/Lambda", "AsyncEventsDropped", "Sum"]] },
      { title = "Age of the oldest event, ms", lines = [["AWS/Lambda", "AsyncEventAge", "Maximum"]] },
    ],
  )
}

resource "aws_cloudwatch_log_group" "function" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each            = { for name, alarm in local.alarms : name => alarm if var.create_alarms }
  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  period              = each.value.period
  evaluation_periods  = each.value.periods
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.above
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arn[*]
  ok_actions          = var.alarm_topic_arn[*]
  tags                = var.tags
}

resource "aws_cloudwatch_dashboard" "this" {
  count          = var.create_dashboard ? 1 : 0
  dashboard_name = var.name
  dashboard_body = jsonencode({
    widgets = [for i, graph in local.graphs : {
      type   = "metric"
      x      = 8 * (i % 3)
      y      = 6 * floor(i / 3)
      width  = 8
      height = 6
      properties = {
        title  = graph.title
        region = local.region
        period = 60
        metrics = [for line in graph.lines : [
          line[0], line[1], line[0] == "AWS/SQS" ? "QueueName" : "FunctionName", try(line[3], var.name), { stat = line[2] }
        ]]
      }
    }]
  })
}
