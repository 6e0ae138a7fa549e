package faults

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func TestThePacketOfAMessageIsFoundBehindOtherAttributes(t *testing.T) {
	t.Parallel()
	header := append(binary.BigEndian.AppendUint32(nil, 77), 0x08, 0x00, 1, 0)
	message := func(attributes ...[]byte) syscall.NetlinkMessage {
		return syscall.NetlinkMessage{Header: syscall.NlMsghdr{Type: msgPacket}, Data: append(make([]byte, 4), bytes.Join(attributes, nil)...)}
	}
	for what, m := range map[string]syscall.NetlinkMessage{
		"alone":        message(attribute(attrPacketHeader, header)),
		"behind odd":   message(attribute(9, []byte{1, 2, 3}), attribute(attrPacketHeader, header)),
		"before other": message(attribute(attrPacketHeader, header), attribute(5, []byte{1})),
	} {
		if id, ok := packetID(m); !ok || id != 77 {
			t.Errorf("%s: %d, %v", what, id, ok)
		}
	}
	other := message(attribute(attrPacketHeader, header))
	other.Header.Type = msgConfig
	for what, m := range map[string]syscall.NetlinkMessage{
		"no packet": message(attribute(9, header)), "nothing": {Header: syscall.NlMsghdr{Type: msgPacket}}, "another message": other,
		"cut short": message(attribute(attrPacketHeader, header)[:6]), "a length of nothing": message([]byte{0, 0, 1, 0}),
	} {
		if id, ok := packetID(m); ok {
			t.Errorf("%s has the packet %d", what, id)
		}
	}
}

func TestAClockIsRightUntilItIsSet(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "clock")
	c := &Clock{path}
	for by, want := range map[time.Duration]string{0: "+0\n", 90 * time.Second: "+90\n", -5 * time.Second: "-5\n"} {
		if err := c.Set(by); err != nil {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(path); err != nil || string(text) != want {
			t.Errorf("%s is written as %q (%v), want %q", by, text, err, want)
		}
	}
}

func TestADiskThatNobodyFilledIsEmptyAlready(t *testing.T) {
	t.Parallel()
	if err := (&Disk{t.TempDir()}).Empty(); err != nil {
		t.Error(err)
	}
}
