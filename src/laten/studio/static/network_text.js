// The words of the page Network, in both languages.
export const NETWORK = {
 en: {
  network: "Network", netLead: "How the columns hang together: circles are variables, double circles hidden layers, grey circles your data. Train learns what stands here.", netFixed: "The network of the model. Open its data to train another one.",
  netUndo: "Undo", netRedo: "Redo", netAdd: { latent: "latent numbers", classes: "latent classes", layer: "hidden layer" }, netDrag: "Drag from one circle to another to draw an arrow; click an arrow to choose it, then remove it. The list below does the same by keyboard.", netMany: "Too many nodes to draw.", netCut: "Remove the arrow", netWeights: "weights",
  netPython: "The same in Python (read while you type; Ctrl+Enter tidies it)", netReads: "The same in words", netStart: "Propose again:", netPropose: "Propose", netModel: "Take the model's network", netNodes: "Nodes", netChildless: "Without an arrow out of it, a latent changes nothing:", netAside: "Columns that are not modelled:",
  net: { latent: "Latent size", width: "Width of hidden layers", prior: "Prior", numbers: "Numbers as", mixture: "mixture of normals", standard: "standard normal", cells: "histograms", normal: "normals", auto: "planned" },
  netRole: { latent: "Latent", layer: "Hidden layer", observed: "Observed" }, netRemove: "Remove", netFamily: "Family", netFamilies: { Binned: "histogram", Normal: "normal", NormalMixture: "mixture of normals", StudentT: "Student t", Categorical: "classes", Bernoulli: "yes or no", Deterministic: "hidden layer", Mixture: "mixture a column", Ordinal: "ordered classes", NegativeBinomial: "counts (negative binomial)", Poisson: "counts (Poisson)" },
  netSizes: { size: "Size", sizes: "Classes", k: "Components", width: "Width", depth: "Layers" }, netParents: "Arrows from", netNet: "Net from its parents", netNets: { Linear: "linear", MLP: "hidden layers", ResMLP: "residual blocks" }, netOwn: "own node", netMerge: "Put these columns into",
  netTrain: "Training learns the network of the page Network.",
 },
 id: {
  network: "Jaringan", netLead: "Bagaimana kolom-kolom berhubungan: lingkaran adalah variabel, lingkaran ganda lapisan tersembunyi, lingkaran abu-abu data Anda. Yang tertulis di sini dilatih di halaman Latih.", netFixed: "Jaringan milik model. Buka datanya untuk melatih yang lain.",
  netUndo: "Urungkan", netRedo: "Ulangi", netAdd: { latent: "laten bilangan", classes: "laten kelas", layer: "lapisan tersembunyi" }, netDrag: "Seret dari satu lingkaran ke lingkaran lain untuk menarik panah; klik panah untuk memilihnya, lalu hapus. Daftar di bawah melakukan hal yang sama dengan papan tik.", netMany: "Simpul terlalu banyak untuk digambar.", netCut: "Hapus panah", netWeights: "bobot",
  netPython: "Yang sama dalam Python (dibaca saat Anda mengetik; Ctrl+Enter merapikannya)", netReads: "Yang sama dalam kata", netStart: "Usulkan lagi:", netPropose: "Usulkan", netModel: "Pakai jaringan model", netNodes: "Simpul", netChildless: "Laten tanpa panah keluar tidak mengubah apa pun:", netAside: "Kolom yang tidak dimodelkan:",
  net: { latent: "Ukuran laten", width: "Lebar lapisan tersembunyi", prior: "Prior", numbers: "Bilangan sebagai", mixture: "campuran normal", standard: "normal baku", cells: "histogram", normal: "normal", auto: "direncanakan" },
  netRole: { latent: "Laten", layer: "Lapisan tersembunyi", observed: "Teramati" }, netRemove: "Hapus", netFamily: "Keluarga", netFamilies: { Binned: "histogram", Normal: "normal", NormalMixture: "campuran normal", StudentT: "Student t", Categorical: "kelas", Bernoulli: "ya atau tidak", Deterministic: "lapisan tersembunyi", Mixture: "campuran per kolom", Ordinal: "kelas berurutan", NegativeBinomial: "cacah (binomial negatif)", Poisson: "cacah (Poisson)" },
  netSizes: { size: "Ukuran", sizes: "Kelas", k: "Komponen", width: "Lebar", depth: "Lapisan" }, netParents: "Panah dari", netNet: "Jaring dari induknya", netNets: { Linear: "linear", MLP: "lapisan tersembunyi", ResMLP: "blok residual" }, netOwn: "simpul sendiri", netMerge: "Masukkan kolom ini ke",
  netTrain: "Pelatihan mempelajari jaringan di halaman Jaringan.",
 },
};
