// What the guests of the benchmarks look at. The first entries are picked most often.

const category = (name: string, skus: Readonly<Record<string, number>>) =>
  Object.entries(skus).map(([sku, price]) => ({ sku, price, currency: 'EUR', category: name }));

export const dishes = [
  ...category('pizza', {
    'pizza-margherita': 1150,
    'pizza-funghi': 1350,
    'pizza-diavola': 1450,
    'pizza-marinara': 990,
  }),
  ...category('pasta', { 'pasta-pomodoro': 1190, 'pasta-carbonara': 1450, 'pasta-vongole': 1890 }),
  ...category('starters', { 'soup-01': 650, 'soup-02': 690, bruschetta: 750, burrata: 1250, carpaccio: 1490 }),
  ...category('mains', { 'cod-01': 2450, 'lamb-01': 2890, 'risotto-01': 1990, 'steak-01': 3250 }),
  ...category('desserts', { tiramisu: 790, 'panna-cotta': 690, gelato: 550, affogato: 590 }),
  ...category('drinks', { water: 350, 'house-red': 690, 'house-white': 690, espresso: 290, limoncello: 490 }),
];

export const pages = [
  { path: '/menu', title: 'Menu · Tableside' },
  { path: '/', title: 'Tableside' },
  { path: '/menu/pizza', title: 'Pizza · Menu · Tableside' },
  { path: '/menu/desserts', title: 'Desserts · Menu · Tableside' },
  { path: '/order', title: 'Your order · Tableside' },
  { path: '/reservations', title: 'Book a table · Tableside' },
  { path: '/about', title: 'Our kitchen · Tableside' },
  { path: '/videos', title: 'From the kitchen · Tableside' },
];

export const campaigns = [
  { source: 'news', medium: 'email', name: 'winter-menu' },
  { source: 'instagram', medium: 'social', name: 'winter-menu' },
  { source: 'google', medium: 'cpc', name: 'brand', term: 'restaurant' },
];

/** Language and time zone. */
export const guestPlaces = [
  ['fr-FR', 'Europe/Paris'],
  ['en-US', 'America/New_York'],
  ['de-DE', 'Europe/Berlin'],
  ['en-GB', 'Europe/London'],
  ['it-IT', 'Europe/Rome'],
  ['pl-PL', 'Europe/Warsaw'],
] as const;

const webKit = 'AppleWebKit/537.36 (KHTML, like Gecko)';
const desktops = ['Windows NT 10.0; Win64; x64', 'Macintosh; Intel Mac OS X 10_15_7', 'X11; Linux x86_64'];
const versions = [150, 149, 148, 147];

export const userAgents = [
  'Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 Mobile/15E148 Safari/604.1',
  ...versions.map(
    version => `Mozilla/5.0 (Linux; Android 10; K) ${webKit} Chrome/${version}.0.0.0 Mobile Safari/537.36`,
  ),
  ...desktops.flatMap(os => versions.map(v => `Mozilla/5.0 (${os}) ${webKit} Chrome/${v}.0.0.0 Safari/537.36`)),
  ...desktops.map(os => `Mozilla/5.0 (${os}) ${webKit} Chrome/150.0.0.0 Safari/537.36 Edg/150.0.0.0`),
  'Mozilla/5.0 (X11; Linux x86_64; rv:147.0) Gecko/20100101 Firefox/147.0',
  'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
];
