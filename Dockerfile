# A model behind HTTP: docker build -t laten . && docker run -p 8000:8000 -e LATEN_TOKEN=... -v ./models:/models:ro laten
FROM python:3.13-slim
COPY . /src
RUN pip install --no-cache-dir '/src[serve]' && rm -r /src && useradd --create-home laten
USER laten
ENV LATEN_CACHE=/home/laten/cache
VOLUME /home/laten/cache
EXPOSE 8000
HEALTHCHECK --start-period=300s CMD python -c "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/readyz')"
ENTRYPOINT ["laten", "serve", "--host", "0.0.0.0"]
