# The function, its layer, and what starts it.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.name
  in_region = "${local.region}:${local.account}"

  # Written out, not asked of the resources, so that a plan shows every policy whole.
  bucket_arn      = "arn:${local.partition}:s3:::${var.bucket_name}"
  table_arn       = "arn:${local.partition}:dynamodb:${local.in_region}:table/${local.table_name}"
  queue_arn       = "arn:${local.partition}:sqs:${local.in_region}:${var.name}"
  dead_letter_arn = "arn:${local.partition}:sqs:${local.in_region}:${var.name}-dlq"
  log_group_arn   = "arn:${local.partition}:logs:${local.in_region}:log-group:/aws/lambda/${var.name}"

  table_name      = coalesce(var.table_name, var.name)
  through_queue   = var.event_source == "sqs"
  over_plain_http = startswith(coalesce(var.endpoint_url, "https://"), "http://")

  lambda_zip = coalesce(var.lambda_zip, "${path.module}/../../dist/s3torrent-lambda.zip")

  layer_build       = "${path.module}/lambda/transmission_tools_layer.zip"
  layer_placeholder = "${path.module}/placeholder_layer.zip"
  layer_zip         = fileexists(local.layer_build) ? local.layer_build : local.layer_placeholder
  uses_layer        = var.torrent_engine == "transmission"
  makes_layer       = local.uses_layer && var.environment == "dev" && var.transmission_layer_arn == null
  layer_arn         = one(concat(aws_lambda_layer_version.transmission[*].arn, var.transmission_layer_arn[*]))

  # Empty ones are left out: then the function's own defaults hold (src/s3torrent/config.py).
  environment = { for name, value in {
    S3_BUCKET              = var.bucket_name
    DDB_TABLE              = local.table_name
    TRACKERS               = join(",", var.trackers)
    AWS_ENDPOINT_URL       = var.endpoint_url == null ? "" : var.endpoint_url
    TORRENT_ENGINE         = var.torrent_engine
    TRANSMISSION_CREATE    = var.transmission_create
    TORRENT_VERSION        = var.torrent_version
    TORRENT_PIECE_LENGTH   = var.torrent_piece_length
    TORRENT_PRIVATE        = var.torrent_private ? "1" : var.torrent_write_private_zero ? "write-0" : "0"
    TORRENT_SOURCE         = var.torrent_source
    TORRENT_COMMENT        = var.torrent_comment
    TORRENT_WEB_SEEDS      = join(",", var.web_seeds)
    TORRENT_INCLUDE        = join(",", var.include)
    TORRENT_EXCLUDE        = join(",", var.exclude)
    TORRENT_CONTROL_PREFIX = var.control_prefix
    TORRENT_ON_DELETE      = var.on_delete
    TORRENT_WATCH_PREFIX   = var.watch_prefix
    TORRENT_LEASE_SECONDS  = tostring(var.lease_seconds)
    TORRENT_THREADS        = var.threads == null ? "auto" : tostring(var.threads)

    TORRENT_FANOUT_STATE_MACHINE = var.fanout_enabled ? local.fanout_arn : ""
    TORRENT_FANOUT_THRESHOLD     = var.fanout_enabled ? var.fanout_threshold : ""

    TORRENT_CATALOG       = var.catalog
    TORRENT_CATALOG_URL   = var.catalog == "" ? "" : var.catalog_url
    TORRENT_CATALOG_TITLE = var.catalog == "" ? "" : var.catalog_title
    TORRENT_CATALOG_FILES = var.catalog == "" ? "" : var.catalog_files

    TORRENT_PREFIX_RULES         = join(",", var.prefix_rules)
    TORRENT_PREFIX_QUIET_SECONDS = length(var.prefix_rules) > 0 ? tostring(var.prefix_quiet_seconds) : ""

    TORRENT_CHECK_SEEDS        = var.check_seeds ? "1" : "0"
    TORRENT_CHECKPOINT_SECONDS = tostring(var.checkpoint_seconds)
    TORRENT_REQUEST_PAYER      = var.request_payer ? "1" : "0"
    TORRENT_LOG_LEVEL          = var.log_level
  } : name => value if value != "" }
}

resource "aws_lambda_layer_version" "transmission" {
  count                    = local.makes_layer ? 1 : 0
  layer_name               = "${var.name}-transmission-tools"
  description              = "Lambda layer with transmission-cli tools"
  filename                 = local.layer_zip
  source_code_hash         = filebase64sha256(local.layer_zip)
  compatible_architectures = [var.architecture]
  compatible_runtimes      = [var.runtime]
}

check "the_layer_is_built" {
  assert {
    condition     = !local.makes_layer || fileexists(local.layer_build)
    error_message = "${local.layer_build} is not there: the layer is a placeholder, and the function will say that transmission-create is missing. Run util/build-transmission-lambda-layer.sh, then apply again."
  }
}

resource "aws_lambda_function" "this" {
  function_name                  = var.name
  description                    = "Makes a .torrent for every object of ${var.bucket_name}"
  role                           = aws_iam_role.function.arn
  handler                        = "s3torrent.lambda_handler.handler"
  runtime                        = var.runtime
  architectures                  = [var.architecture]
  filename                       = local.lambda_zip
  source_code_hash               = try(filebase64sha256(local.lambda_zip), null)
  layers                         = local.uses_layer && local.layer_arn != null ? [local.layer_arn] : []
  memory_size                    = var.memory_mb
  timeout                        = var.timeout_seconds
  reserved_concurrent_executions = coalesce(var.reserved_concurrency, -1)
  kms_key_arn                    = var.kms_key_arn
  tags                           = var.tags

  ephemeral_storage {
    size = var.ephemeral_storage_mb
  }

  environment {
    variables = local.environment
  }

  tracing_config {
    mode = var.tracing ? "Active" : "PassThrough"
  }

  # The log group is there before the function, or Lambda would make one that keeps everything for ever.
  depends_on = [aws_cloudwatch_log_group.function, aws_iam_role_policy.function]

  lifecycle {
    precondition {
      condition     = can(filebase64sha256(local.lambda_zip))
      error_message = "${local.lambda_zip} is not there, or is no file; expected the function's zip. Run `make package`, or set lambda_zip."
    }
    precondition {
      condition     = !local.uses_layer || var.environment == "dev" || var.transmission_layer_arn != null
      error_message = "environment is 'prod', torrent_engine 'transmission', and transmission_layer_arn is not set. Publish the layer (util/build-transmission-lambda-layer.sh prints the command) and set transmission_layer_arn to the ARN it answers."
    }
    precondition {
      condition     = !local.uses_layer || !var.fanout_enabled
      error_message = "torrent_engine is 'transmission' and fanout_enabled; expected one of the two, for transmission-create's work cannot be spread."
    }
    precondition {
      condition     = length(var.prefix_rules) == 0 || (local.through_queue && !local.uses_layer)
      error_message = "prefix_rules are ${jsonencode(var.prefix_rules)} with event_source '${var.event_source}' and torrent_engine '${var.torrent_engine}'; expected sqs, which keeps a folder's reminder, and native, which reads several objects."
    }
    precondition {
      condition     = var.catalog == "" || (local.through_queue && !var.torrent_private)
      error_message = "catalog is '${var.catalog}' with event_source '${var.event_source}' and torrent_private ${var.torrent_private}; expected sqs, which keeps its reminder, and no private torrents, whose trackers it would tell."
    }
    precondition {
      condition     = !local.uses_layer || var.torrent_version == "v1"
      error_message = "torrent_engine is 'transmission' and torrent_version '${var.torrent_version}'; expected v1, the only one transmission-create makes."
    }
    precondition {
      condition     = !local.uses_layer || var.torrent_source == ""
      error_message = "torrent_engine is 'transmission' and torrent_source '${var.torrent_source}'; expected none, for transmission-create 3.00 cannot write it."
    }
    precondition {
      condition     = sum([for name, value in local.environment : length(name) + length(value)]) <= 4096
      error_message = "The function's environment is longer than the 4,096 characters Lambda allows; expected fewer or shorter trackers, web seeds and patterns."
    }
  }
}

# --- sqs: the queue starts it

resource "aws_lambda_event_source_mapping" "queue" {
  count                   = local.through_queue ? 1 : 0
  event_source_arn        = aws_sqs_queue.events[0].arn
  function_name           = aws_lambda_function.this.arn
  batch_size              = var.batch_size
  function_response_types = ["ReportBatchItemFailures"]
  tags                    = var.tags

  dynamic "scaling_config" {
    for_each = var.maximum_concurrency[*]
    content {
      maximum_concurrency = scaling_config.value
    }
  }
}

# --- s3: the bucket starts it

resource "aws_lambda_permission" "bucket" {
  count          = local.through_queue ? 0 : 1
  statement_id   = "${var.name}-bucket"
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.this.function_name
  principal      = "s3.amazonaws.com"
  source_arn     = local.bucket_arn
  source_account = local.account
}

resource "aws_lambda_function_event_invoke_config" "bucket" {
  count                        = local.through_queue ? 0 : 1
  function_name                = aws_lambda_function.this.function_name
  maximum_retry_attempts       = 2
  maximum_event_age_in_seconds = 21600 # six hours, the most there is

  destination_config {
    on_failure {
      destination = aws_sqs_queue.dead_letter.arn
    }
  }
}
