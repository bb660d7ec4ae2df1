// franz-go against a cluster:
//
//	franz_go SERVERS                         administration, keyed and idempotent records, a group of two that shares
//	franz_go transactions SERVERS REPLICAS   transactions
//	franz_go copy SERVERS FROM TO ID         copies a topic exactly once, until it is killed
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sort"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	topic = "franz"
	group = "franz-group"
	count = 100
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(words []string) error {
	if words[0] == "copy" {
		return copyForEver(context.Background(), strings.Split(words[1], ","), words[2], words[3], words[4])
	}
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	if words[0] == "transactions" {
		return transactions(ctx, strings.Split(words[1], ","), replication(words[2]))
	}
	servers := strings.Split(words[0], ",")
	for _, step := range []func(context.Context, []string) error{administer, produce, consume, share, remove} {
		if err := step(ctx, servers); err != nil {
			return err
		}
	}
	return nil
}

func client(servers []string, options ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append(options, kgo.SeedBrokers(servers...))...)
}

func administer(ctx context.Context, servers []string) error {
	cl, err := client(servers)
	if err != nil {
		return err
	}
	defer cl.Close()
	admin := kadm.NewClient(cl)
	retention := "60000"
	if _, err := admin.CreateTopic(ctx, 2, 1, map[string]*string{"retention.ms": &retention}, topic); err != nil {
		return fmt.Errorf("create: %w", err)
	}
	if _, err := admin.CreateTopic(ctx, 2, 1, nil, topic); !errors.Is(err, kerr.TopicAlreadyExists) {
		return fmt.Errorf("create again: %v", err)
	}
	if _, err := admin.UpdatePartitions(ctx, 4, topic); err != nil {
		return fmt.Errorf("partitions: %w", err)
	}
	segment := "30000"
	altered, err := admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "segment.ms", Value: &segment}}, topic)
	if err != nil {
		return fmt.Errorf("alter: %w", err)
	}
	if _, err := altered.On(topic, func(answer *kadm.AlterConfigsResponse) error { return answer.Err }); err != nil {
		return fmt.Errorf("alter: %w", err)
	}
	details, err := admin.ListTopics(ctx, topic)
	if err != nil {
		return fmt.Errorf("list: %w", err)
	}
	configs, err := admin.DescribeTopicConfigs(ctx, topic)
	if err != nil {
		return fmt.Errorf("configs: %w", err)
	}
	found, err := configs.On(topic, nil)
	if err != nil {
		return fmt.Errorf("configs: %w", err)
	}
	values := map[string]string{}
	for _, config := range found.Configs {
		values[config.Key] = config.MaybeValue()
	}
	fmt.Printf("created %d partitions, retention.ms %s, segment.ms %s\n",
		len(details[topic].Partitions), values["retention.ms"], values["segment.ms"])
	return nil
}

// produce writes keyed records: franz-go is idempotent and waits for all in-sync replicas unless told otherwise.
func produce(ctx context.Context, servers []string) error {
	cl, err := client(servers)
	if err != nil {
		return err
	}
	defer cl.Close()
	var records []*kgo.Record
	for n := range count {
		records = append(records, &kgo.Record{
			Topic:   topic,
			Key:     fmt.Appendf(nil, "key-%d", n%10),
			Value:   fmt.Appendf(nil, "value-%d", n),
			Headers: []kgo.RecordHeader{{Key: "n", Value: fmt.Append(nil, n)}},
		})
	}
	if err := cl.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return fmt.Errorf("produce: %w", err)
	}
	id, epoch, err := cl.ProducerID(ctx)
	if err != nil {
		return fmt.Errorf("producer id: %w", err)
	}
	fmt.Printf("produced %d, idempotent %t\n", len(records), id >= 0 && epoch >= 0)
	return nil
}

// consume reads everything without a group: each key in one partition, in order.
func consume(ctx context.Context, servers []string) error {
	cl, err := client(servers, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return err
	}
	defer cl.Close()
	places := map[string]int32{}
	last := map[string]int{}
	for read := 0; read < count; {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("consume: %w", err)
		}
		for _, record := range fetches.Records() {
			key, n := string(record.Key), 0
			if _, err := fmt.Sscan(string(record.Headers[0].Value), &n); err != nil {
				return err
			}
			if place, seen := places[key]; seen && (place != record.Partition || last[key] >= n) {
				return fmt.Errorf("%s: record %d in partition %d after %d in %d", key, n, record.Partition, last[key], place)
			}
			places[key], last[key] = record.Partition, n
			read++
		}
	}
	fmt.Printf("consumed %d of %d keys in order\n", count, len(places))
	return nil
}

func member(servers []string) (*kgo.Client, error) {
	return client(servers,
		kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.Balancers(kgo.CooperativeStickyBalancer()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.HeartbeatInterval(200*time.Millisecond))
}

// share has one member read everything and commit, then a second one join: each ends with two of the four partitions, and
// the first keeps what it does not give away.
func share(ctx context.Context, servers []string) error {
	first, err := member(servers)
	if err != nil {
		return err
	}
	defer first.Close()
	for read := 0; read < count; {
		fetches := first.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("group: %w", err)
		}
		read += fetches.NumRecords()
	}
	if err := first.CommitUncommittedOffsets(ctx); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	second, err := member(servers)
	if err != nil {
		return err
	}
	defer second.Close()
	stop, cancel := context.WithCancel(ctx)
	defer cancel()
	for _, cl := range []*kgo.Client{first, second} {
		go func() {
			for stop.Err() == nil {
				cl.PollFetches(stop)
			}
		}()
	}
	admin := kadm.NewClient(first)
	for {
		groups, err := admin.DescribeGroups(ctx, group)
		if err != nil {
			return fmt.Errorf("describe: %w", err)
		}
		described := groups[group]
		var shares []string
		for _, member := range described.Members {
			if assigned, ok := member.Assigned.AsConsumer(); ok {
				for _, of := range assigned.Topics {
					shares = append(shares, fmt.Sprint(len(of.Partitions)))
				}
			}
		}
		sort.Strings(shares)
		if described.State == "Stable" && strings.Join(shares, " and ") == "2 and 2" {
			fmt.Printf("shared %s by %s\n", strings.Join(shares, " and "), described.Protocol)
			break
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("still %s with %v", described.State, shares)
		case <-time.After(20 * time.Millisecond):
		}
	}
	lags, err := admin.Lag(ctx, group)
	if err != nil {
		return fmt.Errorf("lag: %w", err)
	}
	lag := lags[group]
	fmt.Printf("lag %d\n", lag.Lag.Total())
	return nil
}

func remove(ctx context.Context, servers []string) error {
	cl, err := client(servers)
	if err != nil {
		return err
	}
	defer cl.Close()
	admin := kadm.NewClient(cl)
	if _, err := admin.DeleteGroup(ctx, group); err != nil {
		return fmt.Errorf("delete group: %w", err)
	}
	if _, err := admin.DeleteTopic(ctx, topic); err != nil {
		return fmt.Errorf("delete topic: %w", err)
	}
	topics, err := admin.ListTopics(ctx)
	if err != nil {
		return fmt.Errorf("list: %w", err)
	}
	fmt.Printf("deleted, left %v\n", topics.Names())
	return nil
}
