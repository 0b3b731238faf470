# The role of the people who edit the ruleset's lists. It may do one thing: ask for the token of a known card number. Nobody else is
# given that right: who may ask can find out whether a card is known, one request a card (decision 0015).

resource "aws_iam_role" "list_editors" {
  count = length(var.list_editor_arns) > 0 ? 1 : 0

  name                 = "${local.name}-list-editors"
  description          = "People who put cards on lists of the ruleset. They may ask for tokens of card numbers."
  max_session_duration = 3600
  permissions_boundary = var.permissions_boundary_arn
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "NamedPeople"
      Effect    = "Allow"
      Principal = { AWS = var.list_editor_arns }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "list_editors" {
  count = length(var.list_editor_arns) > 0 ? 1 : 0

  name = "tokens"
  role = aws_iam_role.list_editors[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "AskForTokens"
      Effect   = "Allow"
      Action   = "lambda:InvokeFunction"
      Resource = module.functions["card_token"].alias_arn
    }]
  })
}
