# The recording task (ecs.tf), off by default: its image and its size.

locals {
  # MiB of memory that Fargate offers for a number of CPU units, and the same in words.
  # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html
  fargate_memory = {
    256   = concat([512], range(1024, 2049, 1024))
    512   = range(1024, 4097, 1024)
    1024  = range(2048, 8193, 1024)
    2048  = range(4096, 16385, 1024)
    4096  = range(8192, 30721, 1024)
    8192  = range(16384, 61441, 4096)
    16384 = range(32768, 122881, 8192)
  }
  fargate_told = {
    256   = "512, 1024 or 2048"
    512   = "1024 to 4096 in steps of 1024"
    1024  = "2048 to 8192 in steps of 1024"
    2048  = "4096 to 16384 in steps of 1024"
    4096  = "8192 to 30720 in steps of 1024"
    8192  = "16384 to 61440 in steps of 4096"
    16384 = "32768 to 122880 in steps of 8192"
  }
}

variable "recorder_enabled" {
  description = "Make the task definition of the recorder, with its roles and its log. Nothing runs, and nothing costs, until somebody runs the task."
  type        = bool
  default     = false
}

variable "recorder_image" {
  description = "Image of docker/ecs/Dockerfile, with tag or digest; required with recorder_enabled. One in a private ECR registry may be pulled by the execution role."
  type        = string
  default     = null
  validation {
    condition     = var.recorder_image == null ? true : can(regex("^[a-z0-9][A-Za-z0-9._:/-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|@sha256:[0-9a-f]{64})$", var.recorder_image))
    error_message = "recorder_image is '${coalesce(var.recorder_image, "null")}'; expected an image with a tag or a digest, such as 123456789012.dkr.ecr.eu-west-1.amazonaws.com/s3torrent-recorder:1."
  }
  validation {
    condition     = !var.recorder_enabled || var.recorder_image != null
    error_message = "recorder_image is null and recorder_enabled true; expected the image to run. Build docker/ecs/Dockerfile, push it, and name it here."
  }
}

variable "recorder_architecture" {
  description = "What the image was built for: X86_64 or ARM64."
  type        = string
  default     = "X86_64"
  validation {
    condition     = contains(["X86_64", "ARM64"], var.recorder_architecture)
    error_message = "recorder_architecture is '${var.recorder_architecture}'; expected X86_64 or ARM64."
  }
}

variable "recorder_cpu" {
  description = "CPU units of the task; 1024 are a whole CPU."
  type        = number
  default     = 1024
  validation {
    condition     = contains(keys(local.fargate_memory), tostring(var.recorder_cpu))
    error_message = "recorder_cpu is ${var.recorder_cpu}; expected one that Fargate knows: 256, 512, 1024, 2048, 4096, 8192 or 16384."
  }
}

variable "recorder_memory_mb" {
  description = "Memory of the task in MiB; what Fargate offers depends on recorder_cpu."
  type        = number
  default     = 2048
  validation {
    condition     = contains(lookup(local.fargate_memory, tostring(var.recorder_cpu), [var.recorder_memory_mb]), var.recorder_memory_mb)
    error_message = "recorder_memory_mb is ${var.recorder_memory_mb}; expected with recorder_cpu ${var.recorder_cpu}: ${lookup(local.fargate_told, tostring(var.recorder_cpu), "nothing")}."
  }
}

variable "recorder_storage_gb" {
  description = "Ephemeral storage of the task in GiB, the image in it included. RECORD_MODE = file holds the whole recording there, and for a moment twice while video and audio are merged; pipe nothing."
  type        = number
  default     = 50
  validation {
    condition     = var.recorder_storage_gb >= 21 && var.recorder_storage_gb <= 200 && floor(var.recorder_storage_gb) == var.recorder_storage_gb
    error_message = "recorder_storage_gb is ${var.recorder_storage_gb}; expected a whole number from 21 to 200."
  }
}

variable "recorder_prefix" {
  description = "Key prefix of the recordings (S3_KEY), the only place of the bucket where the task may write."
  type        = string
  default     = "recordings/"
  validation {
    condition     = can(regex("^[^*?${"$"}{}\\s/][^*?${"$"}{}]*/$", var.recorder_prefix))
    error_message = "recorder_prefix is '${var.recorder_prefix}'; expected one such as recordings/, that ends in / and has no *, ?, $ or braces."
  }
  validation {
    condition     = !startswith(var.recorder_prefix, var.control_prefix) && !startswith(var.control_prefix, var.recorder_prefix)
    error_message = "recorder_prefix is '${var.recorder_prefix}' and control_prefix '${var.control_prefix}'; expected neither within the other: keys below control_prefix get no torrent."
  }
}

variable "recorder_mode" {
  description = "file: yt-dlp records into a file, which is then uploaded. pipe: ffmpeg's output is uploaded as it comes."
  type        = string
  default     = "file"
  validation {
    condition     = contains(["file", "pipe"], var.recorder_mode)
    error_message = "recorder_mode is '${var.recorder_mode}'; expected file or pipe."
  }
}

variable "recorder_ttl_days" {
  description = "Days after which DynamoDB may delete the status item of a recording (TTL_DAYS); null: never."
  type        = number
  default     = null
  validation {
    condition     = var.recorder_ttl_days == null ? true : var.recorder_ttl_days >= 1 && floor(var.recorder_ttl_days) == var.recorder_ttl_days
    error_message = "recorder_ttl_days is ${coalesce(var.recorder_ttl_days, 0)}; expected a whole number from 1, or null."
  }
}
