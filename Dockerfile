# The image of proxy and controller: Node, one file and the bill of its materials, the C library and the certificates of public
# authorities. No shell, no npm.
#   docker buildx build --platform linux/amd64,linux/arm64 --build-arg REVISION=$(git rev-parse HEAD) -t localhost/socketpod:0.1.0 .
# BASE has npm and Node 24; RUNTIME has what Node's binary is linked with (libstdc++, libgcc, the C library).
ARG BASE=node:24-slim
ARG RUNTIME=gcr.io/distroless/cc-debian12:latest

# The same for every platform, so it is made on the builder's own.
FROM --platform=$BUILDPLATFORM ${BASE} AS bundle
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY rolldown.config.ts tsconfig.json ./
COPY src src
RUN npm run bundle \
  && mkdir -p /image/app /image/usr/local/bin \
  && install -m 755 bundle/socketpod.mjs /image/app/ \
  && install -m 644 bundle/socketpod.cdx.json /image/app/ \
  && ln -s /app/socketpod.mjs /image/usr/local/bin/socketpod

FROM ${BASE} AS node

FROM ${RUNTIME}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Socketpod" \
  org.opencontainers.image.description="One isolated pod per WebSocket connection, on your Kubernetes" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=bundle /image/ /
ENV PATH=/usr/local/bin:/usr/bin:/bin NODE_ENV=production
USER 65532:65532
EXPOSE 8080 8443 9090
ENTRYPOINT ["socketpod"]
