// Package images holds no code: its tests build the images for real and look at them, and hold compose.yaml against what it says
// twice. Building takes buildah, root and minutes, so that part has the build tag images (make test-images).
package images
