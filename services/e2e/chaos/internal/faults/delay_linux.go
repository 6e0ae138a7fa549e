package faults

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"
)

// The part of linux/netfilter/nfnetlink_queue.h that is needed to hold packets back. netem would do the same, where the
// kernel has it.
const (
	netlinkNetfilter = 12
	// The subsystem, 3, in the high byte, and what it is about in the low one.
	msgPacket  = 0x300
	msgVerdict = 0x301
	msgConfig  = 0x302

	attrConfigCommand  = 1
	attrConfigParams   = 2
	attrConfigMaxQueue = 3
	commandBind        = 1

	attrPacketHeader  = 1
	attrVerdictHeader = 2
	accept            = 1

	// mostHeld is how many packets wait at most; the kernel drops what comes then, as a router does.
	mostHeld = 8192
)

// delay takes each packet of a queue in and lets it go later, in order, until the function it returns is called; those that
// still wait then go at once.
func delay(queue uint16, by time.Duration) (stop func(), err error) {
	fd, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, netlinkNetfilter)
	if err != nil {
		return nil, fmt.Errorf("hold packets back: %w", err)
	}
	q := &queued{fd: fd, queue: queue, by: by, end: make(chan struct{}), held: make(chan packet, mostHeld)}
	if err := q.open(); err != nil {
		_ = syscall.Close(fd)
		return nil, fmt.Errorf("hold packets back: %w", err)
	}
	q.running.Go(q.receive)
	q.running.Go(q.release)
	return func() {
		close(q.end)
		q.running.Wait()
		_ = syscall.Close(fd)
	}, nil
}

type packet struct {
	id  uint32
	due time.Time
}

type queued struct {
	fd      int
	queue   uint16
	by      time.Duration
	end     chan struct{}
	held    chan packet
	running sync.WaitGroup
	mu      sync.Mutex
}

func (q *queued) open() error {
	if err := syscall.Bind(q.fd, &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK}); err != nil {
		return err
	}
	// Reading ends twice a second to look whether it is over.
	if err := syscall.SetsockoptTimeval(q.fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &syscall.Timeval{Usec: 500_000}); err != nil {
		return err
	}
	_ = syscall.SetsockoptInt(q.fd, syscall.SOL_SOCKET, syscall.SO_RCVBUF, 8<<20)
	bind := []byte{commandBind, 0, 0, 0} // and the protocol family, which new kernels do not read
	// Nothing of the packet is copied but its header: 4 bytes of range, then the mode (1: meta).
	params := []byte{0, 0, 0, 0, 1}
	most := binary.BigEndian.AppendUint32(nil, mostHeld)
	for _, m := range [][]byte{attribute(attrConfigCommand, bind), attribute(attrConfigParams, params), attribute(attrConfigMaxQueue, most)} {
		if err := q.send(msgConfig, m, syscall.NLM_F_REQUEST|syscall.NLM_F_ACK); err != nil {
			return err
		}
		if err := q.acknowledged(); err != nil {
			return err
		}
	}
	return nil
}

// acknowledged reads the answer to a configuration.
func (q *queued) acknowledged() error {
	buffer := make([]byte, 64<<10)
	n, _, err := syscall.Recvfrom(q.fd, buffer, 0)
	if err != nil {
		return err
	}
	messages, err := syscall.ParseNetlinkMessage(buffer[:n])
	if err != nil {
		return err
	}
	for _, m := range messages {
		if m.Header.Type == syscall.NLMSG_ERROR && len(m.Data) >= 4 {
			if code := int32(binary.NativeEndian.Uint32(m.Data)); code != 0 { //nolint:gosec // G115: it is one
				return syscall.Errno(-code)
			}
		}
	}
	return nil
}

func (q *queued) receive() {
	defer close(q.held)
	buffer := make([]byte, 256<<10)
	for {
		select {
		case <-q.end:
			return
		default:
		}
		n, _, err := syscall.Recvfrom(q.fd, buffer, 0)
		if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINTR) || errors.Is(err, syscall.ENOBUFS) {
			continue
		}
		if err != nil {
			return
		}
		messages, err := syscall.ParseNetlinkMessage(buffer[:n])
		if err != nil {
			continue
		}
		due := time.Now().Add(q.by)
		for _, m := range messages {
			if id, ok := packetID(m); ok {
				q.held <- packet{id, due}
			}
		}
	}
}

// packetID finds the number that the kernel gave a packet.
func packetID(m syscall.NetlinkMessage) (uint32, bool) {
	const familyHeader, attributeHeader = 4, 4
	if m.Header.Type != msgPacket || len(m.Data) < familyHeader {
		return 0, false
	}
	for rest := m.Data[familyHeader:]; len(rest) >= attributeHeader; {
		length, kind := int(binary.NativeEndian.Uint16(rest)), binary.NativeEndian.Uint16(rest[2:])
		if length < attributeHeader || length > len(rest) {
			return 0, false
		}
		if kind&0x3fff == attrPacketHeader && length >= attributeHeader+4 {
			return binary.BigEndian.Uint32(rest[attributeHeader:]), true
		}
		rest = rest[min((length+3)&^3, len(rest)):]
	}
	return 0, false
}

// release lets packets go when they are due, in the order in which they came.
func (q *queued) release() {
	for p := range q.held {
		timer := time.NewTimer(time.Until(p.due))
		select {
		case <-timer.C:
		case <-q.end:
		}
		timer.Stop()
		verdict := binary.BigEndian.AppendUint32(nil, accept)
		verdict = binary.BigEndian.AppendUint32(verdict, p.id)
		_ = q.send(msgVerdict, attribute(attrVerdictHeader, verdict), syscall.NLM_F_REQUEST)
	}
}

func (q *queued) send(kind uint16, attributes []byte, flags uint16) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	// struct nlmsghdr, then struct nfgenmsg: any family, version 0, and the queue.
	m := binary.NativeEndian.AppendUint32(nil, uint32(20+len(attributes))) //nolint:gosec // G115: some bytes
	m = binary.NativeEndian.AppendUint16(m, kind)
	m = binary.NativeEndian.AppendUint16(m, flags)
	m = append(m, make([]byte, 8)...)
	m = append(m, 0, 0)
	m = binary.BigEndian.AppendUint16(m, q.queue)
	return syscall.Sendto(q.fd, append(m, attributes...), 0, &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK})
}

func attribute(kind uint16, value []byte) []byte {
	a := binary.NativeEndian.AppendUint16(nil, uint16(4+len(value))) //nolint:gosec // G115: some bytes
	a = append(binary.NativeEndian.AppendUint16(a, kind), value...)
	return append(a, make([]byte, (4-len(a)%4)%4)...)
}
