# The recorder, off by default: a Fargate task definition with its roles and its log. No cluster and no service: the
# operator runs a task for each recording (output recorder_run_command).

locals {
  recorder_name          = "${var.name}-recorder"
  recorder_count         = var.recorder_enabled ? 1 : 0
  recorder_log_group     = "/ecs/${local.recorder_name}"
  recorder_log_group_arn = "arn:${local.partition}:logs:${local.in_region}:log-group:${local.recorder_log_group}"
  recorder_objects       = "${local.bucket_arn}/${var.recorder_prefix}*"

  # The function's, so that both make the same torrent; but for the path of a program of the function's layer.
  recorder_environment = merge(
    { for name, value in local.environment : name => value if name != "TRANSMISSION_CREATE" && !startswith(name, "TORRENT_FANOUT_") },
    {
      AWS_REGION  = local.region
      S3_KEY      = var.recorder_prefix
      RECORD_MODE = var.recorder_mode
      HOME        = local.recorder_folder
      TMPDIR      = local.recorder_folder
    },
    var.recorder_ttl_days == null ? {} : { TTL_DAYS = tostring(var.recorder_ttl_days) },
  )
  # Where each torrent has a second copy for the seeder, the task writes one, too.
  recorder_watch_prefix = lookup(local.environment, "TORRENT_WATCH_PREFIX", "")

  # The only place it can write to; docker/ecs/Dockerfile gives it to this user by VOLUME, as Fargate asks:
  # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/bind-mounts.html
  recorder_folder = "/recording"
  recorder_user   = "1000:1000"

  recorder_container = {
    name                   = "recorder"
    image                  = var.recorder_image
    essential              = true
    user                   = local.recorder_user
    privileged             = false
    readonlyRootFilesystem = true
    workingDirectory       = local.recorder_folder
    stopTimeout            = 120 # the most there is: what was recorded is completed and published
    environment            = [for name in sort(keys(local.recorder_environment)) : { name = name, value = local.recorder_environment[name] }]
    mountPoints            = [{ sourceVolume = "recording", containerPath = local.recorder_folder, readOnly = false }]
    linuxParameters = {
      initProcessEnabled = true
      capabilities       = { add = [], drop = ["ALL"] }
    }
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = local.recorder_log_group
        awslogs-region        = local.region
        awslogs-stream-prefix = "ecs"
      }
    }
    # Spelled out, or ECS does it and each plan shows a change.
    cpu            = 0
    portMappings   = []
    systemControls = []
    volumesFrom    = []
  }

  # of an image in a private ECR registry: account, region, repository
  recorder_ecr = [
    for part in try([regex("^([0-9]{12})\\.dkr\\.ecr\\.([a-z0-9-]+)\\.amazonaws\\.com(?:\\.cn)?/([^:@]+)[:@]", var.recorder_image)], []) :
    { account = part[0], region = part[1], repository = part[2] }
  ]

  recorder_overrides = jsonencode({
    containerOverrides = [{
      name        = local.recorder_container.name
      command     = ["URL", "OUTFILE"]
      environment = [{ name = "JOB_ID", value = "ID" }]
    }]
  })
}

data "aws_iam_policy_document" "recorder_assume" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
    # Nobody else's task: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["arn:${local.partition}:ecs:${local.in_region}:*"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }
}

# --- what ECS itself does before the task is there: pull and log

data "aws_iam_policy_document" "recorder_execution" {
  # checkov:skip=CKV_AWS_111: what has no resource is ecr:GetAuthorizationToken alone, which knows none
  # checkov:skip=CKV_AWS_356: as above
  statement {
    sid       = "Log"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${local.recorder_log_group_arn}:log-stream:*"]
  }

  dynamic "statement" {
    for_each = local.recorder_ecr
    content {
      sid       = "PullImage"
      actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      resources = ["arn:${local.partition}:ecr:${statement.value.region}:${statement.value.account}:repository/${statement.value.repository}"]
    }
  }

  dynamic "statement" {
    for_each = local.recorder_ecr
    content {
      sid       = "LogInToRegistry"
      actions   = ["ecr:GetAuthorizationToken"]
      resources = ["*"]
    }
  }
}

resource "aws_iam_role" "recorder_execution" {
  count                = local.recorder_count
  name                 = "${local.recorder_name}-execution"
  description          = "Of ECS, to start ${local.recorder_name}: pulls its image, writes its log"
  assume_role_policy   = data.aws_iam_policy_document.recorder_assume.json
  permissions_boundary = var.permissions_boundary_arn
  tags                 = var.tags
}

resource "aws_iam_role_policy" "recorder_execution" {
  count  = local.recorder_count
  name   = "${local.recorder_name}-execution"
  role   = aws_iam_role.recorder_execution[0].id
  policy = data.aws_iam_policy_document.recorder_execution.json
}

# --- what the recorder may do: nothing that it does not do

data "aws_iam_policy_document" "recorder" {
  statement {
    sid = "WriteRecordings"
    actions = [
      "s3:AbortMultipartUpload",
      "s3:GetObject",
      "s3:GetObjectVersion",
      "s3:ListMultipartUploadParts",
      "s3:PutObject",
    ]
    resources = [local.recorder_objects] # their .torrent files among them
  }

  # To resume an upload, or abort that of a recorder that was killed. S3 knows no condition on the prefix here:
  # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
  statement {
    sid       = "FindUploads"
    actions   = ["s3:ListBucketMultipartUploads"]
    resources = [local.bucket_arn]
  }

  dynamic "statement" {
    for_each = local.recorder_watch_prefix == "" ? [] : [1]
    content {
      sid       = "CopyTorrents"
      actions   = ["s3:GetObject", "s3:PutObject"]
      resources = ["${local.bucket_arn}/${local.recorder_watch_prefix}*.torrent"]
    }
  }

  statement {
    sid       = "WriteStatus"
    actions   = ["dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:UpdateItem"]
    resources = [local.table_arn]
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
        values   = [for service in ["dynamodb", "s3"] : "${service}.${local.region}.${data.aws_partition.current.dns_suffix}"]
      }
    }
  }
}

resource "aws_iam_role" "recorder" {
  count                = local.recorder_count
  name                 = local.recorder_name
  description          = "Of the task ${local.recorder_name}: writes recordings below ${var.recorder_prefix}, their torrents and their status"
  assume_role_policy   = data.aws_iam_policy_document.recorder_assume.json
  permissions_boundary = var.permissions_boundary_arn
  tags                 = var.tags
}

resource "aws_iam_role_policy" "recorder" {
  count  = local.recorder_count
  name   = local.recorder_name
  role   = aws_iam_role.recorder[0].id
  policy = data.aws_iam_policy_document.recorder.json
}

# --- log and task definition

resource "aws_cloudwatch_log_group" "recorder" {
  count             = local.recorder_count
  name              = local.recorder_log_group
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_ecs_task_definition" "recorder" {
  count                    = local.recorder_count
  family                   = local.recorder_name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.recorder_cpu
  memory                   = var.recorder_memory_mb
  execution_role_arn       = aws_iam_role.recorder_execution[0].arn
  task_role_arn            = aws_iam_role.recorder[0].arn
  container_definitions    = jsonencode([local.recorder_container])
  tags                     = var.tags

  ephemeral_storage {
    size_in_gib = var.recorder_storage_gb
  }

  runtime_platform {
    cpu_architecture        = var.recorder_architecture
    operating_system_family = "LINUX"
  }

  volume {
    name = "recording"
  }

  # A task that starts finds its log and its permissions.
  depends_on = [
    aws_cloudwatch_log_group.recorder,
    aws_iam_role_policy.recorder,
    aws_iam_role_policy.recorder_execution,
  ]
}

# --- outputs

output "recorder_task_definition_arn" {
  description = "Task definition of the recorder, with its revision; null without recorder_enabled."
  value       = one(aws_ecs_task_definition.recorder[*].arn)
}

output "recorder_task_role_name" {
  description = "The recorder's role; null without recorder_enabled."
  value       = one(aws_iam_role.recorder[*].name)
}

output "recorder_run_command" {
  description = "With recorder_enabled: the command that records URL into S3_KEY + OUTFILE. Put in CLUSTER, SUBNET (with a way out to the internet), GROUP, URL, OUTFILE and ID, which names the recording in the status table. Whoever runs it needs ecs:RunTask, and iam:PassRole for both roles."
  value = var.recorder_enabled ? join(" ", [
    "aws ecs run-task --region ${local.region} --cluster CLUSTER --launch-type FARGATE",
    "--task-definition ${aws_ecs_task_definition.recorder[0].arn}",
    "--network-configuration 'awsvpcConfiguration={subnets=[SUBNET],securityGroups=[GROUP],assignPublicIp=ENABLED}'",
    "--overrides '${local.recorder_overrides}'",
  ]) : null
}
