variable "catalog" {
  description = "s3://BUCKET/PREFIX where the function keeps a catalogue of the bucket's torrents up to date; empty: none. Needs event_source = sqs."
  type        = string
  default     = ""
  validation {
    condition     = var.catalog == "" || can(regex("^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^/*?]+)+/?$", var.catalog))
    error_message = "catalog is '${var.catalog}'; expected s3://BUCKET/PREFIX."
  }
}

variable "catalog_url" {
  description = "Where people find that catalogue; its feed needs it."
  type        = string
  default     = ""
  validation {
    condition     = var.catalog_url == "" || can(regex("^https?://[^ ?#]+$", var.catalog_url))
    error_message = "catalog_url is '${var.catalog_url}'; expected the URL of a folder, such as https://torrents.example.org/."
  }
}

variable "catalog_title" {
  description = "Its heading; empty: the bucket's name."
  type        = string
  default     = ""
  validation {
    condition     = can(regex("^[^\n\r\t]{0,200}$", var.catalog_title))
    error_message = "catalog_title is '${var.catalog_title}'; expected at most 200 characters of one line."
  }
}

variable "catalog_files" {
  description = "Where the bucket's objects are found, such as https://cdn.example.org/{key}: for links to .torrents. Needless where the catalogue lies in the same bucket, or beside web seeds."
  type        = string
  default     = ""
  validation {
    condition     = var.catalog_files == "" || can(regex("^https?://[^ ,]*\\{key\\}", var.catalog_files))
    error_message = "catalog_files is '${var.catalog_files}'; expected an address with {key}."
  }
}

locals {
  catalog_path   = trimsuffix(trimprefix(var.catalog, "s3://"), "/")
  catalog_bucket = split("/", local.catalog_path)[0]
}
