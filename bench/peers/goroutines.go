// SPDX-License-Identifier: Apache-2.0

// Goroutines, measured as switch_probe.cc measures greenlets: ring, memory, spawn, asleep.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
)

func residentBytes() float64 {
	status, _ := os.ReadFile("/proc/self/status")
	total := 0.0
	for _, line := range strings.Split(string(status), "\n") {
		if strings.HasPrefix(line, "VmRSS:") || strings.HasPrefix(line, "VmPTE:") {
			kilobytes, _ := strconv.ParseFloat(strings.Fields(line)[1], 64)
			total += kilobytes * 1024
		}
	}
	return total
}

func ring(units, switches int) float64 {
	rounds := switches/units + 1
	var ready, done sync.WaitGroup
	begin := make(chan struct{})
	ready.Add(units)
	done.Add(units)
	for i := 0; i < units; i++ {
		go func() {
			ready.Done()
			<-begin
			for round := 0; round < rounds; round++ {
				runtime.Gosched()
			}
			done.Done()
		}()
	}
	ready.Wait()
	begun := time.Now()
	close(begin)
	done.Wait()
	return float64(time.Since(begun).Nanoseconds()) / float64(units*rounds)
}

func memory(units int) float64 {
	runtime.GC()
	before := residentBytes()
	var ready sync.WaitGroup
	ready.Add(units)
	block := make(chan struct{})
	for i := 0; i < units; i++ {
		go func() {
			ready.Done()
			<-block
		}()
	}
	ready.Wait()
	return (residentBytes() - before) / float64(units)
}

func spawn(units int) float64 {
	begun := time.Now()
	for done := 0; done < units; done += 100 {
		var group sync.WaitGroup
		group.Add(100)
		for i := 0; i < 100; i++ {
			go group.Done()
		}
		group.Wait()
	}
	return float64(units) / time.Since(begun).Seconds()
}

func asleep(units int) (float64, float64) {
	before := residentBytes()
	begun := time.Now()
	wake := begun.Add(time.Duration(units)*4*time.Microsecond + 500*time.Millisecond)
	var done sync.WaitGroup
	var once sync.Once
	peak := 0.0
	done.Add(units)
	for i := 0; i < units; i++ {
		go func() {
			time.Sleep(time.Until(wake))
			once.Do(func() { peak = residentBytes() })
			done.Done()
		}()
	}
	done.Wait()
	return time.Since(begun).Seconds(), (peak - before) / float64(units)
}

func main() {
	runtime.GOMAXPROCS(1)
	units, _ := strconv.Atoi(os.Args[2])
	switch os.Args[1] {
	case "ring":
		switches, _ := strconv.Atoi(os.Args[3])
		fmt.Println(ring(units, switches))
	case "memory":
		fmt.Println(memory(units))
	case "spawn":
		fmt.Println(spawn(units))
	case "asleep":
		seconds, bytes := asleep(units)
		fmt.Println(seconds, bytes)
	}
}
