# The state machine for objects too large for one run of the function (docs/adr/0016-fan-out.md).

locals {
  fanout_count = var.fanout_enabled ? 1 : 0
  fanout_name  = "${var.name}-fanout"
  # Written out: the function names the state machine, and the state machine the function.
  fanout_arn = "arn:${local.partition}:states:${local.in_region}:stateMachine:${local.fanout_name}"
}

data "aws_iam_policy_document" "fanout_assume" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["states.amazonaws.com"]
    }
    # No other account's state machine gets in by it.
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }
}

data "aws_iam_policy_document" "fanout" {
  statement {
    sid       = "CallTheFunction"
    actions   = ["lambda:InvokeFunction"]
    resources = [aws_lambda_function.this.arn]
  }

  # A distributed map starts its children as executions of its own, and looks after them.
  # https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
  statement {
    sid       = "StartChildren"
    actions   = ["states:StartExecution"]
    resources = [local.fanout_arn]
  }

  statement {
    sid       = "LookAfterChildren"
    actions   = ["states:DescribeExecution", "states:StopExecution"]
    resources = ["${replace(local.fanout_arn, ":stateMachine:", ":execution:")}/*"]
  }
}

resource "aws_iam_role" "fanout" {
  count                = local.fanout_count
  name                 = local.fanout_name
  description          = "Of the state machine ${local.fanout_name}: calls ${var.name}"
  assume_role_policy   = data.aws_iam_policy_document.fanout_assume.json
  permissions_boundary = var.permissions_boundary_arn
  tags                 = var.tags
}

resource "aws_iam_role_policy" "fanout" {
  count  = local.fanout_count
  name   = local.fanout_name
  role   = aws_iam_role.fanout[0].id
  policy = data.aws_iam_policy_document.fanout.json
}

resource "aws_sfn_state_machine" "fanout" {
  # checkov:skip=CKV_AWS_284: X-Ray is off by default, as for the function (variable tracing)
  # checkov:skip=CKV_AWS_285: its history and the function's log tell what it did; nothing else is worth a log of its own
  count    = local.fanout_count
  name     = local.fanout_name
  role_arn = aws_iam_role.fanout[0].arn
  type     = "STANDARD"
  tags     = var.tags
  definition = templatefile("${path.module}/torrent-fanout.asl.json", {
    function_arn = aws_lambda_function.this.arn
    concurrency  = var.fanout_concurrency
  })

  depends_on = [aws_iam_role_policy.fanout]
}
