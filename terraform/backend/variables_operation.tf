# How it is run: the queue, encryption, the log, the alarms.

variable "visibility_timeout_seconds" {
  description = "Visibility timeout of the queue; null: 6 x timeout_seconds, the least AWS asks for."
  type        = number
  default     = null
  validation {
    condition     = var.visibility_timeout_seconds == null ? true : var.visibility_timeout_seconds >= 6 * var.timeout_seconds && var.visibility_timeout_seconds <= 43200
    error_message = "visibility_timeout_seconds is ${coalesce(var.visibility_timeout_seconds, 0)}; expected ${6 * var.timeout_seconds} (6 x timeout_seconds) to 43200, or null."
  }
}

variable "batch_size" {
  description = "Messages a run takes at most. They share its time, so one is right for large objects."
  type        = number
  default     = 1
  validation {
    condition     = var.batch_size >= 1 && var.batch_size <= 10 && floor(var.batch_size) == var.batch_size
    error_message = "batch_size is ${var.batch_size}; expected a whole number from 1 to 10."
  }
}

variable "maximum_concurrency" {
  description = "Runs the queue starts at once, at most; null: no limit but the account's. A limit here throttles nothing; reserved_concurrency below it does."
  type        = number
  default     = 10
  validation {
    condition     = var.maximum_concurrency == null ? true : var.maximum_concurrency >= 2 && var.maximum_concurrency <= 1000
    error_message = "maximum_concurrency is ${coalesce(var.maximum_concurrency, 0)}; expected 2 to 1000, or null for no limit."
  }
  validation {
    condition     = var.maximum_concurrency == null || var.reserved_concurrency == null || var.event_source != "sqs" ? true : var.maximum_concurrency <= var.reserved_concurrency
    error_message = "maximum_concurrency is ${coalesce(var.maximum_concurrency, 0)}; expected at most reserved_concurrency, ${coalesce(var.reserved_concurrency, 0)}${coalesce(var.reserved_concurrency, 0) == 1 ? " (so null, for no queue's limit is below 2)" : ""}, or messages that find the function busy end in the dead-letter queue."
  }
}

variable "max_receive_count" {
  description = "Times a message is tried before it goes to the dead-letter queue. AWS asks for 5 at least."
  type        = number
  default     = 5
  validation {
    condition     = var.max_receive_count >= 1 && var.max_receive_count <= 1000
    error_message = "max_receive_count is ${var.max_receive_count}; expected 1 to 1000."
  }
}

variable "kms_key_arn" {
  description = "KMS key for what is made here: bucket, table, queues, log group, the function's environment. Its key policy must let the services s3.amazonaws.com and logs.REGION.amazonaws.com use it. null: S3's, SQS's and DynamoDB's own keys. Objects under it cannot be read without credentials, so they cannot be web seeds."
  type        = string
  default     = null
  validation {
    condition     = var.kms_key_arn == null ? true : can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "kms_key_arn is '${coalesce(var.kms_key_arn, "null")}'; expected the ARN of a key (not of an alias), or null."
  }
}

variable "log_retention_days" {
  description = "Days the function's log is kept."
  type        = number
  default     = 30
  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days is ${var.log_retention_days}; expected one that CloudWatch Logs knows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
}

variable "create_alarms" {
  description = "Make the alarms."
  type        = bool
  default     = true
}

variable "alarm_topic_arn" {
  description = "SNS topic told when an alarm goes off, and when it is over; null: nobody is."
  type        = string
  default     = null
  validation {
    condition     = var.alarm_topic_arn == null ? true : can(regex("^arn:[a-z-]+:sns:", var.alarm_topic_arn))
    error_message = "alarm_topic_arn is '${coalesce(var.alarm_topic_arn, "null")}'; expected the ARN of a topic, or null."
  }
}

variable "oldest_message_alarm_seconds" {
  description = "Age of the oldest waiting event that sets off the alarm; null: twice the visibility timeout, with event_source = s3 3600."
  type        = number
  default     = null
  validation {
    condition     = var.oldest_message_alarm_seconds == null ? true : var.oldest_message_alarm_seconds >= 60
    error_message = "oldest_message_alarm_seconds is ${coalesce(var.oldest_message_alarm_seconds, 0)}; expected at least 60, or null."
  }
}

variable "create_dashboard" {
  description = "Make the CloudWatch dashboard."
  type        = bool
  default     = true
}
