// Package cluster holds no code: its tests install the chart on a real Kubernetes with Dapr, the one of KUBECONFIG, break
// it while people use it, and check that nobody notices more than a pause. They use helm and kubectl as an operator
// does, and are built with the tag "cluster" only: everything else must be testable without one. `make e2e-k8s` runs them.
//
// They install into a namespace of their own, which they make and remove; they refuse one that was there before. One
// test also cordons the nodes for some seconds. Settings, by environment:
//
//   - KUBECONFIG: the cluster.
//   - CHART: the folder of the chart, by default that of this tree.
//   - NAMESPACE: the namespace, by default taskflow-e2e.
//   - TAG, NEXT_TAG: tags of images that the cluster can get. Those of NEXT_TAG are built from the same tree with one more
//     migration, which adds a column. TAG may be empty for the version of the chart, NEXT_TAG not.
//   - VALUES: further values files over values-dev.yaml, comma-separated; whatever an operator may set.
//   - ORIGIN: the public URL of an Ingress or Gateway that VALUES configures. Without one the tests are the origin
//     themselves, with the routes of pkg/stack, in front of NodePorts at the nodes' addresses.
//   - DURATION: for how long pods are deleted at random, by default 5m.
//   - KEEP: if not empty, the namespace stays, and the next run goes on with what is installed there; its database has
//     the migration of NEXT_TAG by then, so TestUpgradeAndRollbackLoseNothing needs a new one.
package cluster
