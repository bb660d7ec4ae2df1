// sarama against a cluster:
//
//	sarama transactions SERVERS REPLICAS   transactions, committed and aborted, with a group's offsets, and fenced
//	sarama copy SERVERS FROM TO ID         copies a topic exactly once, until it is killed
package main

import (
	"errors"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/IBM/sarama"
)

const (
	patience = 60 * time.Second
	// How many records a transaction of a copy takes at most.
	perTransaction = 5
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(words []string) error {
	servers := strings.Split(words[1], ",")
	if words[0] == "copy" {
		sarama.Logger = log.New(os.Stderr, "", log.LstdFlags)
		// What a producer does not get over by itself is told, and a new one with the same id goes on.
		for {
			fmt.Fprintln(os.Stderr, copyOn(servers, words[2], words[3], words[4]))
			time.Sleep(100 * time.Millisecond)
		}
	}
	replicas, err := strconv.ParseInt(words[2], 10, 16)
	if err != nil {
		return err
	}
	return transactions(servers, int16(replicas))
}

func settings(isolation sarama.IsolationLevel) *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.MaxVersion
	config.Consumer.IsolationLevel = isolation
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.Return.Errors = true
	return config
}

func producer(servers []string, id string) (sarama.SyncProducer, error) {
	config := settings(sarama.ReadCommitted)
	config.Producer.Idempotent = true
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Return.Successes = true
	config.Producer.Transaction.ID = id
	config.Net.MaxOpenRequests = 1
	return sarama.NewSyncProducer(servers, config)
}

func transactions(servers []string, replicas int16) error {
	admin, err := sarama.NewClusterAdmin(servers, settings(sarama.ReadCommitted))
	if err != nil {
		return err
	}
	defer admin.Close()
	for _, topic := range []string{"from", "to"} {
		detail := sarama.TopicDetail{NumPartitions: 1, ReplicationFactor: replicas}
		if err := admin.CreateTopic(topic, &detail, false); err != nil {
			return fmt.Errorf("create: %w", err)
		}
	}
	writer, err := producer(servers, "id")
	if err != nil {
		return err
	}
	defer writer.Close()
	for _, values := range []string{"+abc", "-xy", "+de"} {
		if err := transact(writer, "from", strings.Split(values[1:], ""), nil, values[0] == '+'); err != nil {
			return err
		}
	}
	if err := show(servers, "committed", "from", sarama.ReadCommitted, 5); err != nil {
		return err
	}
	if err := show(servers, "all", "from", sarama.ReadUncommitted, 7); err != nil {
		return err
	}
	for _, offset := range []int64{3, 9} {
		if err := transact(writer, "to", []string{"passed on"}, &place{"group", "from", offset}, offset == 3); err != nil {
			return err
		}
	}
	offsets, err := admin.ListConsumerGroupOffsets("group", map[string][]int32{"from": {0}})
	if err != nil {
		return fmt.Errorf("offsets: %w", err)
	}
	fmt.Println("offset", offsets.GetBlock("from", 0).Offset)
	if err := show(servers, "read", "to", sarama.ReadCommitted, 1); err != nil {
		return err
	}
	return fence(servers, writer)
}

// place is how far a group has come in partition 0 of a topic.
type place struct {
	group, topic string
	offset       int64
}

// transact writes the values, and how far a group has come, in one transaction.
func transact(writer sarama.SyncProducer, topic string, values []string, progress *place, commits bool) error {
	if err := writer.BeginTxn(); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	var messages []*sarama.ProducerMessage
	for _, value := range values {
		messages = append(messages, &sarama.ProducerMessage{Topic: topic, Value: sarama.StringEncoder(value)})
	}
	if err := writer.SendMessages(messages); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	if progress != nil {
		offsets := []*sarama.PartitionOffsetMetadata{{Partition: 0, Offset: progress.offset, LeaderEpoch: -1}}
		if err := writer.AddOffsetsToTxn(map[string][]*sarama.PartitionOffsetMetadata{progress.topic: offsets}, progress.group); err != nil {
			return fmt.Errorf("offsets: %w", err)
		}
	}
	if !commits {
		return writer.AbortTxn()
	}
	if err := writer.CommitTxn(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// show prints the first so many values of a topic.
func show(servers []string, name, topic string, isolation sarama.IsolationLevel, count int) error {
	consumer, err := sarama.NewConsumer(servers, settings(isolation))
	if err != nil {
		return err
	}
	defer consumer.Close()
	reader, err := consumer.ConsumePartition(topic, 0, sarama.OffsetOldest)
	if err != nil {
		return fmt.Errorf("read %s: %w", topic, err)
	}
	defer reader.Close()
	timeout := time.After(patience)
	var values []string
	for len(values) < count {
		select {
		case message := <-reader.Messages():
			values = append(values, string(message.Value))
		case err := <-reader.Errors():
			return fmt.Errorf("read %s: %w", topic, err)
		case <-timeout:
			return fmt.Errorf("%s has only %v", topic, values)
		}
	}
	fmt.Println(name, strings.Join(values, " "))
	return nil
}

func fence(servers []string, zombie sarama.SyncProducer) error {
	if err := zombie.BeginTxn(); err != nil {
		return err
	}
	if _, _, err := zombie.SendMessage(&sarama.ProducerMessage{Topic: "to", Value: sarama.StringEncoder("lost")}); err != nil {
		return err
	}
	heir, err := producer(servers, "id")
	if err != nil {
		return err
	}
	defer heir.Close()
	if err := transact(heir, "to", []string{"kept"}, nil, true); err != nil {
		return err
	}
	fmt.Println("fenced", zombie.CommitTxn() != nil)
	return show(servers, "read", "to", sarama.ReadCommitted, 2)
}

// copyOn hands the records of one topic on to another, from where the group has come to; it ends with an error. A new
// producer ends what the one before it has left open, and only then is asked how far the group has come.
func copyOn(servers []string, from, to, id string) error {
	writer, err := producer(servers, id)
	if err != nil {
		return fmt.Errorf("producer: %w", err)
	}
	defer writer.Close()
	client, err := sarama.NewClient(servers, settings(sarama.ReadCommitted))
	if err != nil {
		return fmt.Errorf("client: %w", err)
	}
	defer client.Close()
	next, err := committed(client, from, id)
	if err != nil {
		return fmt.Errorf("committed: %w", err)
	}
	consumer, err := sarama.NewConsumerFromClient(client)
	if err != nil {
		return err
	}
	reader, err := consumer.ConsumePartition(from, 0, next)
	if err != nil {
		return fmt.Errorf("consume: %w", err)
	}
	defer reader.Close()
	go func() {
		for err := range reader.Errors() {
			fmt.Fprintln(os.Stderr, err)
		}
	}()
	for message := range reader.Messages() {
		values := []string{string(message.Value)}
		offset := message.Offset + 1
		for len(values) < perTransaction && len(reader.Messages()) > 0 {
			message := <-reader.Messages()
			values, offset = append(values, string(message.Value)), message.Offset+1
		}
		if err := transact(writer, to, values, &place{id, from, offset}, true); err != nil {
			if writer.TxnStatus()&sarama.ProducerTxnFlagFatalError == 0 {
				err = errors.Join(err, writer.AbortTxn())
			}
			return err
		}
	}
	return errors.New("the reader has ended")
}

// committed tells how far a group has come in partition 0, or where the topic begins.
func committed(client sarama.Client, topic, group string) (int64, error) {
	manager, err := sarama.NewOffsetManagerFromClient(group, client)
	if err != nil {
		return 0, err
	}
	defer manager.Close()
	partition, err := manager.ManagePartition(topic, 0)
	if err != nil {
		return 0, err
	}
	defer partition.Close()
	offset, _ := partition.NextOffset()
	return offset, nil
}
