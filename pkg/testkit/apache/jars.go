package apache

import (
	"bufio"
	"context"
	"crypto/sha256"
	_ "embed" // the list of jars
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Version is the release of Kafka that is run.
const Version = "4.3.1"

// MirrorVariable names the environment variable with the base URL of a mirror of Maven Central. What comes from it is
// checked like what comes from Central.
const MirrorVariable = "TASKFLOW_MAVEN_MIRROR"

const central = "https://repo1.maven.org/maven2"

// pinned is the runtime closure of org.apache.kafka:kafka_2.13 and of log4j-slf4j-impl, without which it would log nothing, in
// the format of sha256sum.
//
//go:embed jars.sha256
var pinned string

// jar is one file of the closure.
type jar struct{ sum, path string }

func jars() []jar {
	var all []jar
	lines := bufio.NewScanner(strings.NewReader(pinned))
	for lines.Scan() {
		if sum, path, ok := strings.Cut(lines.Text(), "  "); ok {
			all = append(all, jar{sum, path})
		}
	}
	return all
}

// fetched is the directory that holds the jars, below the user's cache. They are fetched once; processes that want them at the same time
// wait for the one that fetches.
func fetched(ctx context.Context) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	final := filepath.Join(cache, "taskflow", "kafka-"+Version+"-"+fingerprint())
	if _, err := os.Stat(final); err == nil {
		return final, nil
	}
	if err := os.MkdirAll(filepath.Dir(final), 0o755); err != nil {
		return "", err
	}
	release, err := alone(ctx, final+".lock")
	if err != nil {
		return "", err
	}
	defer release()
	if _, err := os.Stat(final); err == nil {
		return final, nil
	}
	making, err := os.MkdirTemp(filepath.Dir(final), "kafka-making-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(making)
	mirror := strings.TrimRight(os.Getenv(MirrorVariable), "/")
	if mirror == "" {
		mirror = central
	}
	client := &http.Client{Timeout: 2 * time.Minute}
	for _, j := range jars() {
		if err := j.fetch(ctx, client, mirror, making); err != nil {
			return "", fmt.Errorf("fetch Kafka %s (set %s to a mirror of Maven Central if it cannot be reached): %w", Version, MirrorVariable, err)
		}
	}
	return final, os.Rename(making, final)
}

// fingerprint names what the list holds, so that another list never meets the jars of this one.
func fingerprint() string {
	sum := sha256.Sum256([]byte(pinned))
	return hex.EncodeToString(sum[:4])
}

// largest is more than any jar of the closure has.
const largest = 64 << 20

func (j jar) fetch(ctx context.Context, client *http.Client, mirror, dir string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, mirror+"/"+j.path, nil)
	if err != nil {
		return err
	}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", request.URL, answer.Status)
	}
	file, err := os.OpenFile(filepath.Join(dir, path.Base(j.path)), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	sum := sha256.New()
	_, err = io.Copy(io.MultiWriter(file, sum), io.LimitReader(answer.Body, largest))
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	if have := hex.EncodeToString(sum.Sum(nil)); have != j.sum {
		return fmt.Errorf("%s is not what was pinned: its SHA-256 is %s", request.URL, have)
	}
	return nil
}

// alone takes a lock between processes. The kernel gives it back when its holder dies.
func alone(ctx context.Context, name string) (release func(), err error) {
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = file.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(err, file.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), file.Close())
		case <-tick.C:
		}
	}
}
