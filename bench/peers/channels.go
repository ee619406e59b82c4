// SPDX-License-Identifier: Apache-2.0

// Goroutines and channels, measured as messages_probe.cc measures actors. Who has a mailbox there has a goroutine with a
// channel here; a channel that is full holds whoever sends, so nobody has to ask for more.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"
)

const mailbox = 128

type tally struct {
	count, sum int64
}

func (t *tally) add(value int64) {
	t.count++
	t.sum += value
}

func total(all []tally) tally {
	var sum tally
	for _, one := range all {
		sum.count += one.count
		sum.sum += one.sum
	}
	return sum
}

func fail(why string) {
	fmt.Fprintln(os.Stderr, "channels:", why)
	os.Exit(1)
}

func expect(found, wanted int64, what string) {
	if found != wanted {
		fail(fmt.Sprintf("%s: %d instead of %d", what, found, wanted))
	}
}

func rate(messages int64, begun time.Time) float64 {
	return float64(messages) / time.Since(begun).Seconds()
}

func calls(messages int64) float64 {
	questions := make(chan int64)
	answers := make(chan int64)
	var handled tally
	go func() {
		for value := range questions {
			handled.add(value)
			answers <- value + 1
		}
	}()
	done := make(chan struct{})
	begun := time.Now()
	go func() {
		for i := int64(0); i < messages; i++ {
			questions <- i
			if <-answers != i+1 {
				fail("a call has a wrong answer")
			}
		}
		close(done)
	}()
	<-done
	found := rate(messages, begun)
	expect(handled.count, messages, "calls that were handled")
	return found
}

// Each sender sends every receiver that many messages, one to each in turn; `rounds`: when the last of them has one, the
// sender begins anew.
func tells(senders, receivers, each int64, rounds bool) float64 {
	messages := senders * receivers * each
	channels := make([]chan int64, receivers)
	handled := make([]tally, receivers)
	sent := make([]tally, senders)
	taken := make(chan struct{}, 1)
	var done sync.WaitGroup
	done.Add(int(receivers))
	for i := range channels {
		channels[i] = make(chan int64, mailbox)
		go func(from chan int64, counted *tally, answers bool) {
			for counted.count < senders*each {
				counted.add(<-from)
				if answers {
					taken <- struct{}{}
				}
			}
			done.Done()
		}(channels[i], &handled[i], rounds && i == len(channels)-1)
	}
	runtime.Gosched()
	begun := time.Now()
	for i := range sent {
		go func(counted *tally) {
			for i := int64(0); i < each; i++ {
				for _, to := range channels {
					value := counted.count
					counted.add(value)
					to <- value
				}
				if rounds {
					<-taken
				}
			}
		}(&sent[i])
	}
	done.Wait()
	found := rate(messages, begun)
	expect(total(handled).count, messages, "messages that were handled")
	expect(total(handled).sum, total(sent).sum, "the sum of their numbers")
	return found
}

func ring(messages int64) float64 {
	channels := make([]chan int64, 1000)
	for i := range channels {
		channels[i] = make(chan int64)
	}
	handled := make([]tally, len(channels))
	done := make(chan struct{})
	for i := range channels {
		go func(from, to chan int64, counted *tally) {
			for left := range from {
				counted.add(left)
				if left == 0 {
					close(done)
					return
				}
				to <- left - 1
			}
		}(channels[i], channels[(i+1)%len(channels)], &handled[i])
	}
	runtime.Gosched()
	begun := time.Now()
	channels[0] <- messages - 1
	<-done
	found := rate(messages, begun)
	expect(total(handled).count, messages, "messages that were handled")
	expect(total(handled).sum, messages*(messages-1)/2, "the sum of their numbers")
	return found
}

// What is asked through an unbuffered channel, and answered through that of whoever asks.
type question struct {
	value  int64
	answer chan int64
}

// A goroutine that calls, and one that answers meanwhile.
func big(messages int64) float64 {
	const partners = 200
	each := messages/partners + 1
	channels := make([]chan question, partners)
	handled := make([]tally, partners)
	for i := range channels {
		channels[i] = make(chan question)
		go func(questions chan question, counted *tally) {
			for asked := range questions {
				counted.add(asked.value)
				asked.answer <- asked.value + 1
			}
		}(channels[i], &handled[i])
	}
	runtime.Gosched()
	var done sync.WaitGroup
	done.Add(partners)
	begun := time.Now()
	for i := 0; i < partners; i++ {
		go func(self int) {
			random := int64(self+1) * int64(self+1) * int64(self+1)
			answer := make(chan int64)
			for i := int64(0); i < each; i++ {
				random = random * 48271 % 2147483647
				other := int(random % (partners - 1))
				if other >= self {
					other++
				}
				channels[other] <- question{i, answer}
				if <-answer != i+1 {
					fail("a call has a wrong answer")
				}
			}
			done.Done()
		}(i)
	}
	done.Wait()
	found := rate(each*partners, begun)
	expect(total(handled).count, each*partners, "calls that were handled")
	return found
}

func main() {
	runtime.GOMAXPROCS(1)
	messages, _ := strconv.ParseInt(os.Args[2], 10, 64)
	switch os.Args[1] {
	case "calls":
		fmt.Println(calls(messages))
	case "tells":
		fmt.Println(tells(1, 1, messages, false))
	case "fan_out":
		fmt.Println(tells(1, 1000, messages/1000+1, true))
	case "fan_in":
		fmt.Println(tells(1000, 1, messages/1000+1, false))
	case "ring":
		fmt.Println(ring(messages))
	case "big":
		fmt.Println(big(messages))
	default:
		fail("no such pattern: " + os.Args[1])
	}
}
