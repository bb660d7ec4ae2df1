package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// How many records a transaction of a copy takes at most.
const perTransaction = 5

// transactions commits and aborts, passes a group's records on in its own transactions, and fences.
func transactions(ctx context.Context, servers []string, replicas int16) error {
	cl, err := client(servers, kgo.TransactionalID("id"))
	if err != nil {
		return err
	}
	defer cl.Close()
	if _, err := kadm.NewClient(cl).CreateTopics(ctx, 1, replicas, nil, "from", "to"); err != nil {
		return fmt.Errorf("create: %w", err)
	}
	for _, values := range []string{"+abc", "-xy", "+de"} {
		if err := transact(ctx, cl, "from", values[1:], values[0] == '+'); err != nil {
			return err
		}
	}
	for _, reading := range []struct {
		name  string
		level kgo.IsolationLevel
		count int
	}{{"committed", kgo.ReadCommitted(), 5}, {"all", kgo.ReadUncommitted(), 7}} {
		values, err := read(ctx, servers, "from", reading.level, reading.count)
		if err != nil {
			return err
		}
		fmt.Println(reading.name, values)
	}
	if err := passOn(ctx, servers); err != nil {
		return err
	}
	return fence(ctx, servers, cl)
}

// transact writes each letter as a record, in one transaction.
func transact(ctx context.Context, cl *kgo.Client, topic, values string, commits bool) error {
	if err := cl.BeginTransaction(); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	for _, value := range strings.Split(values, "") {
		if err := cl.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte(value)}).FirstErr(); err != nil {
			return fmt.Errorf("produce: %w", err)
		}
	}
	if err := cl.EndTransaction(ctx, kgo.TransactionEndTry(commits)); err != nil {
		return fmt.Errorf("end: %w", err)
	}
	return nil
}

// read waits for so many records from the topic's beginning.
func read(ctx context.Context, servers []string, topic string, level kgo.IsolationLevel, count int) (string, error) {
	cl, err := client(servers, kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(level),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return "", err
	}
	defer cl.Close()
	var values []string
	for len(values) < count {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return "", fmt.Errorf("read %s: %w", topic, err)
		}
		for _, record := range fetches.Records() {
			values = append(values, string(record.Value))
		}
	}
	return strings.Join(values, " "), nil
}

func session(servers []string, from, id string, options ...kgo.Opt) (*kgo.GroupTransactSession, error) {
	return kgo.NewGroupTransactSession(append(options, kgo.SeedBrokers(servers...), kgo.TransactionalID(id),
		kgo.ConsumerGroup(id), kgo.ConsumeTopics(from), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.RequireStableFetchOffsets(), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
}

// passOn aborts what it made of the five records first: the group then gets them again.
func passOn(ctx context.Context, servers []string) error {
	made, err := session(servers, "from", "group")
	if err != nil {
		return err
	}
	defer made.Close()
	for _, commits := range []bool{false, true} {
		if err := made.Begin(); err != nil {
			return fmt.Errorf("begin: %w", err)
		}
		for taken := 0; taken < 5; {
			fetches := made.PollFetches(ctx)
			if err := fetches.Err(); err != nil {
				return fmt.Errorf("pass on: %w", err)
			}
			for _, record := range fetches.Records() {
				value := strings.ToUpper(string(record.Value))
				if err := made.ProduceSync(ctx, &kgo.Record{Topic: "to", Value: []byte(value)}).FirstErr(); err != nil {
					return fmt.Errorf("pass on: %w", err)
				}
				taken++
			}
		}
		committed, err := made.End(ctx, kgo.TransactionEndTry(commits))
		if err != nil || committed != commits {
			return fmt.Errorf("end: %t instead of %t, %w", committed, commits, err)
		}
	}
	values, err := read(ctx, servers, "to", kgo.ReadCommitted(), 5)
	if err != nil {
		return err
	}
	offsets, err := kadm.NewClient(made.Client()).FetchOffsets(ctx, "group")
	if err != nil {
		return fmt.Errorf("offsets: %w", err)
	}
	ends, err := kadm.NewClient(made.Client()).ListCommittedOffsets(ctx, "from")
	if err != nil {
		return fmt.Errorf("ends: %w", err)
	}
	offset, _ := offsets.Lookup("from", 0)
	end, _ := ends.Lookup("from", 0)
	// The last record is before its transaction's marker.
	fmt.Printf("passed on %s, at the end %t\n", values, offset.At == end.Offset || offset.At == end.Offset-1)
	return nil
}

func fence(ctx context.Context, servers []string, zombie *kgo.Client) error {
	if err := zombie.BeginTransaction(); err != nil {
		return err
	}
	if err := zombie.ProduceSync(ctx, &kgo.Record{Topic: "to", Value: []byte("lost")}).FirstErr(); err != nil {
		return err
	}
	heir, err := client(servers, kgo.TransactionalID("id"))
	if err != nil {
		return err
	}
	defer heir.Close()
	if err := transact(ctx, heir, "to", "k", true); err != nil {
		return err
	}
	fmt.Println("fenced", zombie.EndTransaction(ctx, kgo.TryCommit) != nil)
	values, err := read(ctx, servers, "to", kgo.ReadCommitted(), 6)
	if err != nil {
		return err
	}
	fmt.Println("read", values)
	return nil
}

// copyForEver hands the records of one topic on to another, each exactly once. An error that the session does not get
// over by itself is told, and a new session goes on.
func copyForEver(ctx context.Context, servers []string, from, to, id string) error {
	for ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, copyOn(ctx, servers, from, to, id))
	}
	return ctx.Err()
}

func copyOn(ctx context.Context, servers []string, from, to, id string) error {
	made, err := session(servers, from, id, kgo.WithLogger(kgo.BasicLogger(os.Stderr, kgo.LogLevelInfo, nil)))
	if err != nil {
		return err
	}
	defer made.Close()
	for {
		fetches := made.PollRecords(ctx, perTransaction)
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("poll: %w", err)
		}
		if fetches.Empty() {
			continue
		}
		if err := made.Begin(); err != nil {
			return fmt.Errorf("begin: %w", err)
		}
		var records []*kgo.Record
		for _, record := range fetches.Records() {
			records = append(records, &kgo.Record{Topic: to, Key: record.Value, Value: record.Value})
		}
		written := made.ProduceSync(ctx, records...).FirstErr()
		if _, err := made.End(ctx, kgo.TransactionEndTry(written == nil)); err != nil {
			return fmt.Errorf("end: %w", err)
		}
	}
}

// replication reads how many replicas a topic is to have.
func replication(text string) int16 {
	replicas, err := strconv.ParseInt(text, 10, 16)
	if err != nil {
		panic(err)
	}
	return int16(replicas)
}
