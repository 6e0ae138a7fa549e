package stack

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strconv"
)

// Ports says where the stack listens. A zero field means its default.
type Ports struct {
	// Random takes free ports that no other stack on this machine uses, also not one of a test that runs at the same
	// time. The other fields are then ignored.
	Random bool

	Origin   int // the one address people open; default 8080
	Postgres int // default 15432, so that it does not meet a Postgres of the system
	Broker   int // default 9092
	Base     int // first of the ports of the services and sidecars, ten for each; default 18100
}

const (
	defaultOrigin   = 8080
	defaultPostgres = 15432
	defaultBroker   = 9092
	defaultBase     = 18100

	// portsPerService is how far apart two services' ports lie. Six are used; ten are easier to read.
	portsPerService = 10

	// Random blocks lie below the range from which Linux (32768) and macOS (49152) take the ports of outgoing
	// connections: a port of a killed process must still be free when it is started again.
	blockSize  = 100
	firstBlock = 200
	lastBlock  = 320
)

// portUse is one port with what the error message about it needs.
type portUse struct {
	port   int
	wanted string // what wants it
	change string // how to take another
}

func (p Ports) withDefaults() Ports {
	set := func(field *int, value int) {
		if *field == 0 {
			*field = value
		}
	}
	set(&p.Origin, defaultOrigin)
	set(&p.Postgres, defaultPostgres)
	set(&p.Broker, defaultBroker)
	set(&p.Base, defaultBase)
	return p
}

// PortsFromEnv reads TASKFLOW_ORIGIN_PORT, TASKFLOW_POSTGRES_PORT, TASKFLOW_BROKER_PORT and TASKFLOW_BASE_PORT through
// lookup (os.LookupEnv), all mistakes reported together. What is not set stays zero.
func PortsFromEnv(lookup func(string) (string, bool)) (Ports, error) {
	var p Ports
	var errs []error
	read := func(name string, field *int) {
		text, ok := lookup(name)
		if !ok || text == "" {
			return
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 65535 {
			errs = append(errs, fmt.Errorf("%s: %q is not a port (1 to 65535)", name, text))
			return
		}
		*field = n
	}
	read("TASKFLOW_ORIGIN_PORT", &p.Origin)
	read("TASKFLOW_POSTGRES_PORT", &p.Postgres)
	read("TASKFLOW_BROKER_PORT", &p.Broker)
	read("TASKFLOW_BASE_PORT", &p.Base)
	return p, errors.Join(errs...)
}

// servicePorts are the six ports of one service and its sidecar.
type servicePorts struct {
	http, app                                    int // the service: its own doors, and Dapr's callback
	daprHTTP, daprGRPC, daprInternal, daprMetric int // its sidecar
}

func (p Ports) service(slot int) servicePorts {
	first := p.Base + slot*portsPerService
	return servicePorts{first, first + 1, first + 2, first + 3, first + 4, first + 5}
}

// randomPorts finds a block of free ports and keeps it for this process until release is called.
func randomPorts(ctx context.Context, services int) (Ports, func(), error) {
	dir, err := cacheDir("ports")
	if err != nil {
		return Ports{}, nil, err
	}
	if 10+services*portsPerService > blockSize {
		return Ports{}, nil, fmt.Errorf("%d services do not fit into a block of %d random ports", services, blockSize)
	}
	for _, i := range rand.Perm(lastBlock - firstBlock) {
		first := (firstBlock + i) * blockSize
		lock, err := tryLock(filepath.Join(dir, strconv.Itoa(first)+".lock"))
		if errors.Is(err, errLocked) {
			continue
		}
		if err != nil {
			return Ports{}, nil, err
		}
		if blockFree(ctx, first) {
			p := Ports{Origin: first, Postgres: first + 1, Broker: first + 2, Base: first + 10}
			return p, lock.release, nil
		}
		lock.release()
	}
	return Ports{}, nil, errors.New("no block of 100 free ports between 20000 and 32000")
}

func blockFree(ctx context.Context, first int) bool {
	for port := first; port < first+blockSize; port++ {
		if portBusy(ctx, port) {
			return false
		}
	}
	return true
}

func portBusy(ctx context.Context, port int) bool {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", loopback(port))
	if err != nil {
		return true
	}
	_ = l.Close()
	return false
}

// checkPorts says of every busy port who wants it, who holds it and how to change it.
func checkPorts(ctx context.Context, uses []portUse) error {
	var errs []error
	taken := map[int]string{}
	for _, u := range uses {
		if other, twice := taken[u.port]; twice {
			errs = append(errs, fmt.Errorf("port %d is wanted by %s and by %s; %s", u.port, other, u.wanted, u.change))
			continue
		}
		taken[u.port] = u.wanted
		if !portBusy(ctx, u.port) {
			continue
		}
		holder := portHolder(u.port)
		if holder == "" {
			holder = "another program"
		}
		errs = append(errs, fmt.Errorf("port %d, which %s needs, is taken by %s; %s", u.port, u.wanted, holder, u.change))
	}
	return errors.Join(errs...)
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
