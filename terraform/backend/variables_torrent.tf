# What the torrents are like. Each becomes the variable of the function's environment that docs/configuration.md
# explains; what the function would refuse at its first event is refused here, at plan.

locals {
  host_pattern      = "([A-Za-z0-9._-]+|\\[[0-9A-Fa-f]{0,4}(:[0-9A-Fa-f]{0,4}){2,8}\\])"
  port_pattern      = ":([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
  authority_pattern = "${local.host_pattern}(${local.port_pattern})?"
  character_pattern = "[A-Za-z0-9._~:?@!$&'()*+;=-]|%[0-9A-Fa-f]{2}" # of a path or query, but / and #
  tracker_pattern   = "^((https?|wss?)://${local.authority_pattern}|udp://${local.host_pattern}${local.port_pattern})([/?](${local.character_pattern}|[/#])*)?$"
  # {key} at least once below the host, {bucket} if wanted, no other braces, and no / at the end
  web_seed_pattern = "^https?://([A-Za-z0-9._-]|\\{bucket\\})+(${local.port_pattern})?/(${local.character_pattern}|/|\\{bucket\\})*\\{key\\}((${local.character_pattern}|/|\\{bucket\\}|\\{key\\})*(${local.character_pattern}|\\{bucket\\}|\\{key\\}))?$"
}

variable "torrent_engine" {
  description = "native: hashes the object as it streams from S3. transmission: downloads it to /tmp and runs transmission-create from the layer."
  type        = string
  default     = "native"
  validation {
    condition     = contains(["native", "transmission"], var.torrent_engine)
    error_message = "torrent_engine is '${var.torrent_engine}'; expected native or transmission."
  }
}

variable "transmission_create" {
  description = "Path of transmission-create in the function; empty: found on PATH or in the layer's /opt/bin."
  type        = string
  default     = ""
}

variable "transmission_layer_arn" {
  description = "ARN of a version of the published layer with transmission-create; in prod needed with torrent_engine = transmission, in dev it replaces the local build."
  type        = string
  default     = null
  validation {
    condition     = var.transmission_layer_arn == null ? true : can(regex("^arn:[a-z-]+:lambda:[a-z0-9-]+:[0-9]{12}:layer:[A-Za-z0-9_-]+:[0-9]+$", var.transmission_layer_arn))
    error_message = "transmission_layer_arn is '${coalesce(var.transmission_layer_arn, "null")}'; expected the ARN of a version, such as arn:aws:lambda:eu-west-1:123456789012:layer:transmission-tools:1."
  }
}

variable "torrent_version" {
  description = "v1, v2 or hybrid."
  type        = string
  default     = "v1"
  validation {
    condition     = contains(["v1", "v2", "hybrid"], var.torrent_version)
    error_message = "torrent_version is '${var.torrent_version}'; expected v1, v2 or hybrid."
  }
}

variable "torrent_piece_length" {
  description = "auto, by-size, or a power of two from 16KiB to 128MiB."
  type        = string
  default     = "auto"
  validation {
    condition     = contains(concat(["auto", "by-size"], [for n in range(4, 10) : "${pow(2, n)}KiB"], [for n in range(8) : "${pow(2, n)}MiB"]), var.torrent_piece_length)
    error_message = "torrent_piece_length is '${var.torrent_piece_length}'; expected auto, by-size, or a power of two from 16KiB to 128MiB, such as 4MiB."
  }
}

variable "torrent_private" {
  description = "Write private into the info dict (BEP 27)."
  type        = bool
  default     = false
}

variable "torrent_write_private_zero" {
  description = "Write private = 0 into the info dict where it is not private, as transmission-create 3.00 does: then both engines give the same info-hash."
  type        = bool
  default     = false
}

variable "torrent_source" {
  description = "source in the info dict; changes the info-hash."
  type        = string
  default     = ""
}

variable "torrent_comment" {
  description = "Comment, outside the info dict."
  type        = string
  default     = ""
}

variable "trackers" {
  description = "Announce URLs, each a tier of its own."
  type        = list(string)
  default     = []
  validation {
    condition     = alltrue([for url in var.trackers : can(regex(local.tracker_pattern, url))])
    error_message = "trackers has ${join(" and ", [for url in var.trackers : "'${url}'" if !can(regex(local.tracker_pattern, url))])}; expected http, https, udp, ws or wss URLs of plain ASCII with a host, a port from 1 to 65535 (udp needs one), % only before two hex digits, and no comma, such as udp://tracker.example.org:6969/announce."
  }
  # Whether what stands in brackets is an address no pattern can say.
  validation {
    condition     = alltrue([for url in var.trackers : !strcontains(url, "[") || can(cidrhost("${regex("\\[(.*)\\]", url)[0]}/128", 0))])
    error_message = "trackers has ${join(" and ", [for url in var.trackers : "'${url}'" if strcontains(url, "[") && !can(cidrhost("${regex("\\[(.*)\\]", url)[0]}/128", 0))])}; expected an IPv6 address in brackets."
  }
}

variable "web_seeds" {
  description = "URL templates with {key} and, if wanted, {bucket} (BEP 19), such as https://cdn.example.org/{key}."
  type        = list(string)
  default     = []
  validation {
    condition     = alltrue([for template in var.web_seeds : can(regex(local.web_seed_pattern, template))])
    error_message = "web_seeds has ${join(" and ", [for template in var.web_seeds : "'${template}'" if !can(regex(local.web_seed_pattern, template))])}; expected http or https URLs with a host, a port from 1 to 65535 if any, {key}, no other placeholder but {bucket}, % only before two hex digits, no comma, and no / at the end, such as https://cdn.example.org/{key}."
  }
}

variable "include" {
  description = "Glob patterns over the whole key; empty: every key."
  type        = list(string)
  default     = []
  validation {
    condition     = alltrue([for pattern in var.include : pattern != "" && !strcontains(pattern, ",") && trimspace(pattern) == pattern])
    error_message = "include has ${join(" and ", [for pattern in var.include : "'${pattern}'" if pattern == "" || strcontains(pattern, ",") || trimspace(pattern) != pattern])}; expected patterns without commas or blanks around them, such as recordings/*.mkv ('?' stands for any one character)."
  }
}

variable "exclude" {
  description = "Glob patterns over the whole key; wins over include."
  type        = list(string)
  default     = []
  validation {
    condition     = alltrue([for pattern in var.exclude : pattern != "" && !strcontains(pattern, ",") && trimspace(pattern) == pattern])
    error_message = "exclude has ${join(" and ", [for pattern in var.exclude : "'${pattern}'" if pattern == "" || strcontains(pattern, ",") || trimspace(pattern) != pattern])}; expected patterns without commas or blanks around them, such as *.tmp ('?' stands for any one character)."
  }
}

variable "control_prefix" {
  description = "Keys below it are the function's alone and get no torrent; it may write there."
  type        = string
  default     = ".s3torrent/"
  validation {
    condition     = can(regex("^[^*?${"$"}{}\\s/][^*?${"$"}{}]*/$", var.control_prefix))
    error_message = "control_prefix is '${var.control_prefix}'; expected one such as .s3torrent/, that ends in / and has no *, ?, $ or braces."
  }
}

variable "on_delete" {
  description = "keep or remove the torrent of an object that was deleted. remove also grants s3:ListBucket and s3:DeleteObject on *.torrent."
  type        = string
  default     = "keep"
  validation {
    condition     = contains(["keep", "remove"], var.on_delete)
    error_message = "on_delete is '${var.on_delete}'; expected keep or remove."
  }
  validation {
    condition     = var.on_delete == "keep" || var.watch_deletions
    error_message = "on_delete is remove, and watch_deletions is false; expected true: otherwise no deletion is told of."
  }
}

variable "watch_deletions" {
  description = "Whether deletions and restores from archive are told of, too. false where another notification of the bucket takes them: S3 refuses two for one event."
  type        = bool
  default     = true
}

variable "watch_prefix" {
  description = "A second copy of each .torrent goes below it, for a seeding client (docs/seeding.md); empty: none."
  type        = string
  default     = ""
  validation {
    condition     = var.watch_prefix == "" || can(regex("^[^*?${"$"}{}\\s/][^*?${"$"}{}]*/$", var.watch_prefix))
    error_message = "watch_prefix is '${var.watch_prefix}'; expected one such as watch/, that ends in / and has no *, ?, $ or braces."
  }
}

variable "lease_seconds" {
  description = "How long a worker that fell silent keeps others from its object."
  type        = number
  default     = 60
  validation {
    condition     = var.lease_seconds >= 5 && var.lease_seconds <= 900
    error_message = "lease_seconds is ${var.lease_seconds}; expected 5 to 900."
  }
}

variable "checkpoint_seconds" {
  description = "How often what is hashed of a large object is kept below control_prefix for the next try; 0: after each range."
  type        = number
  default     = 20
  validation {
    condition     = var.checkpoint_seconds >= 0 && var.checkpoint_seconds <= 900
    error_message = "checkpoint_seconds is ${var.checkpoint_seconds}; expected 0 to 900."
  }
}

variable "check_seeds" {
  description = "Try the web seeds of each torrent before it is published, as a client would: the status item and the log tell. The function must reach their addresses."
  type        = bool
  default     = false
}

variable "request_payer" {
  description = "Agree to pay for requests and transfer, where the bucket is another account's and the requester pays."
  type        = bool
  default     = false
}

variable "threads" {
  description = "Connections for one object; null: as many as fit the function's memory."
  type        = number
  default     = null
  validation {
    condition     = var.threads == null ? true : var.threads >= 1 && var.threads <= 64 && floor(var.threads) == var.threads
    error_message = "threads is ${coalesce(var.threads, 0)}; expected a whole number from 1 to 64."
  }
}

variable "log_level" {
  description = "DEBUG, INFO, WARNING or ERROR."
  type        = string
  default     = "INFO"
  validation {
    condition     = contains(["DEBUG", "INFO", "WARNING", "ERROR"], var.log_level)
    error_message = "log_level is '${var.log_level}'; expected DEBUG, INFO, WARNING or ERROR."
  }
}

variable "fanout_enabled" {
  description = "Hand the largest objects over to a state machine (AWS Step Functions), which has many runs of the function hash them side by side."
  type        = bool
  default     = false
}

variable "fanout_threshold" {
  description = "TORRENT_FANOUT_THRESHOLD: from that much to read on an object is handed over."
  type        = string
  default     = "64GiB"
  validation {
    condition     = can(regex("^[0-9]{1,18} ?(?i:kib|mib|gib|tib)?$", var.fanout_threshold))
    error_message = "fanout_threshold is '${var.fanout_threshold}'; expected a number of bytes, KiB, MiB, GiB or TiB."
  }
}

variable "fanout_concurrency" {
  description = "Runs of the function that hash one object at once, at most. They count against reserved_concurrency and the account's limit."
  type        = number
  default     = 50
  validation {
    condition     = var.fanout_concurrency >= 1 && var.fanout_concurrency <= 10000 && floor(var.fanout_concurrency) == var.fanout_concurrency
    error_message = "fanout_concurrency is ${var.fanout_concurrency}; expected a whole number from 1 to 10000."
  }
  validation {
    condition     = !var.fanout_enabled || var.reserved_concurrency == null ? true : var.fanout_concurrency < var.reserved_concurrency
    error_message = "fanout_concurrency is ${var.fanout_concurrency}; expected less than reserved_concurrency, ${coalesce(var.reserved_concurrency, 0)}, or one object keeps all others out."
  }
}

variable "prefix_rules" {
  description = "Folders that get a torrent of their own once they have been quiet, such as shows/*/ (* matches no /). Needs event_source = sqs."
  type        = list(string)
  default     = []
  validation {
    condition     = alltrue([for rule in var.prefix_rules : can(regex("^[^,/]+(/[^,/]+)*/$", rule))])
    error_message = "prefix_rules is ${jsonencode(var.prefix_rules)}; expected folders with a / at their end, such as shows/*/."
  }
}

variable "prefix_quiet_seconds" {
  description = "How long nothing changes in such a folder before its torrent is made."
  type        = number
  default     = 600
  validation {
    condition     = var.prefix_quiet_seconds >= 1 && var.prefix_quiet_seconds <= 86400
    error_message = "prefix_quiet_seconds is ${var.prefix_quiet_seconds}; expected 1 to 86400."
  }
}
