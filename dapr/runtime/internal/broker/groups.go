package broker

import (
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// giveUpTheDead keeps members that died while they joined a group from holding its partitions for long. kfake starts no
// session timer for a member whose connection has gone when its join is answered, as Kafka does, and such a one is only
// found missing when it has not synced within the rebalance timeout. Clients ask for a minute; here they get no more than
// their session timeout, which is how long the dead may be missed everywhere else.
func giveUpTheDead(cluster *kfake.Cluster) {
	cluster.ControlKey(int16(kmsg.JoinGroup), func(r kmsg.Request) (kmsg.Response, error, bool) {
		if join, ok := r.(*kmsg.JoinGroupRequest); ok {
			join.RebalanceTimeoutMillis = min(join.RebalanceTimeoutMillis, join.SessionTimeoutMillis)
		}
		return nil, nil, false //nolint:nilnil // not handled: kfake goes on as usual
	})
}
