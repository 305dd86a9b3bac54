"""Puts and describes delivery streams by the SDK of AWS for Python, and prints what it was answered as JSON."""
import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

url, secret = sys.argv[1:3]


def client(secret_access_key):
    return boto3.client(
        "firehose",
        endpoint_url=url,
        region_name="eu-west-1",
        aws_access_key_id="AKID",
        aws_secret_access_key=secret_access_key,
        config=Config(retries={"max_attempts": 1}),
    )


def refused(call):
    try:
        call()
    except ClientError as error:
        return str(error)
    return None


firehose = client(secret)
name = "python"
bucket = {"RoleARN": "arn:aws:iam::000000000000:role/r", "BucketARN": "arn:aws:s3:::lake"}
created = firehose.create_delivery_stream(DeliveryStreamName=name, ExtendedS3DestinationConfiguration=bucket)
one = firehose.put_record(DeliveryStreamName=name, Record={"Data": b"\x00\xff"})
batch = firehose.put_record_batch(DeliveryStreamName=name, Records=[{"Data": b"a"}, {"Data": b"b"}])
described = firehose.describe_delivery_stream(DeliveryStreamName=name)["DeliveryStreamDescription"]
missing = refused(lambda: firehose.put_record(DeliveryStreamName="none", Record={"Data": b"a"}))
print(
    json.dumps(
        {
            "arn": created["DeliveryStreamARN"],
            "id": one["RecordId"],
            "failed": batch["FailedPutCount"],
            "status": described["DeliveryStreamStatus"],
            "year": described["CreateTimestamp"].year,
            "missing": "ResourceNotFoundException" in (missing or ""),
            "another": refused(lambda: client("another").list_delivery_streams()),
        }
    )
)
