//! Adapters for DynamoDB, Secrets Manager and SQS.
