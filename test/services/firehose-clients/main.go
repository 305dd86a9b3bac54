// Puts and describes delivery streams by the SDK of AWS for Go, and prints what it was answered as JSON.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"
)

func client(url, secret string) *firehose.Client {
	return firehose.New(firehose.Options{
		Region:           "eu-west-1",
		BaseEndpoint:     aws.String(url),
		Credentials:      credentials.NewStaticCredentialsProvider("AKID", secret, ""),
		RetryMaxAttempts: 1,
	})
}

func main() {
	url, secret := os.Args[1], os.Args[2]
	ctx := context.Background()
	c := client(url, secret)
	name := aws.String("go")
	said := map[string]any{}
	created, err := c.CreateDeliveryStream(ctx, &firehose.CreateDeliveryStreamInput{
		DeliveryStreamName: name,
		ExtendedS3DestinationConfiguration: &types.ExtendedS3DestinationConfiguration{
			BucketARN: aws.String("arn:aws:s3:::lake"), RoleARN: aws.String("arn:aws:iam::000000000000:role/r"),
		},
	})
	must(err)
	said["arn"] = *created.DeliveryStreamARN
	one, err := c.PutRecord(ctx, &firehose.PutRecordInput{DeliveryStreamName: name, Record: &types.Record{Data: []byte{0, 255}}})
	must(err)
	said["id"] = *one.RecordId
	batch, err := c.PutRecordBatch(ctx, &firehose.PutRecordBatchInput{
		DeliveryStreamName: name, Records: []types.Record{{Data: []byte("a")}, {Data: []byte("b")}},
	})
	must(err)
	said["failed"] = *batch.FailedPutCount
	described, err := c.DescribeDeliveryStream(ctx, &firehose.DescribeDeliveryStreamInput{DeliveryStreamName: name})
	must(err)
	said["status"] = described.DeliveryStreamDescription.DeliveryStreamStatus
	said["year"] = described.DeliveryStreamDescription.CreateTimestamp.Year()
	_, err = c.PutRecord(ctx, &firehose.PutRecordInput{DeliveryStreamName: aws.String("none"), Record: &types.Record{Data: []byte("a")}})
	var missing *types.ResourceNotFoundException
	said["missing"] = errors.As(err, &missing)
	_, err = client(url, "another").ListDeliveryStreams(ctx, &firehose.ListDeliveryStreamsInput{})
	said["another"] = fmt.Sprint(err)
	must(json.NewEncoder(os.Stdout).Encode(said))
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
